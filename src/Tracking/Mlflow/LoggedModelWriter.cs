using System.Text.Json;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Writes logged models.</summary>
internal static class LoggedModelWriter
{
    public static string Wire(LoggedModelStatus status) => status switch
    {
        LoggedModelStatus.Ready => "LOGGED_MODEL_READY",
        LoggedModelStatus.UploadFailed => "LOGGED_MODEL_UPLOAD_FAILED",
        _ => "LOGGED_MODEL_PENDING",
    };

    public static Task AnswerAsync(MlflowCall call, LoggedModelDetail model, CancellationToken ct) => call.WriteAsync(
        json =>
        {
            json.WriteStartObject("model");
            json.LoggedModel(model, call.Uris);
            json.WriteEndObject();
        },
        ct);

    /// <summary>The members of the message; the caller writes the braces.</summary>
    public static void LoggedModel(this Utf8JsonWriter json, LoggedModelDetail model, ArtifactUris uris)
    {
        var row = model.Row;
        json.WriteStartObject("info");
        json.WriteString("model_id", row.Id);
        json.WriteString("experiment_id", row.ExperimentId);
        json.WriteString("name", row.Name);
        json.WriteNumber("creation_timestamp_ms", row.Created);
        json.WriteNumber("last_updated_timestamp_ms", row.Updated);
        json.WriteString("artifact_uri", uris.Of(row));
        json.WriteString("status", Wire((LoggedModelStatus)row.Status));
        if (row.Type is { } type)
        {
            json.WriteString("model_type", type);
        }

        if (row.SourceRun is { } run)
        {
            json.WriteString("source_run_id", run);
        }

        json.Pairs("tags", model.Tags);
        json.Array(
            "registrations",
            model.Registrations,
            registration =>
            {
                json.WriteString("name", registration.Name);
                json.WriteString("version", registration.Version);
            });
        json.WriteEndObject();
        json.WriteStartObject("data");
        json.Pairs("params", model.Params);
        json.Array("metrics", model.Metrics, metric => json.Members(metric, row.Id));
        json.WriteEndObject();
    }

    private static void Members(this Utf8JsonWriter json, LoggedModelMetric metric, string model)
    {
        json.WriteString("key", metric.Name);
        json.Real("value", metric.Real);
        json.WriteNumber("timestamp", metric.Time);
        json.WriteNumber("step", metric.Step);
        if (metric.DatasetName.Length > 0)
        {
            json.WriteString("dataset_name", metric.DatasetName);
        }

        if (metric.DatasetDigest.Length > 0)
        {
            json.WriteString("dataset_digest", metric.DatasetDigest);
        }

        json.WriteString("model_id", model);
        json.WriteString("run_id", metric.Run);
    }
}
