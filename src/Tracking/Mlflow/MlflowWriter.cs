using System.Text.Json;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Writes MLflow's messages: snake case, absent instead of null, empty lists omitted, NaN and the infinities as strings.</summary>
internal static class MlflowWriter
{
    public static void Experiment(this Utf8JsonWriter json, ExperimentRow experiment, IEnumerable<(string Name, string Value)> tags, ArtifactUris uris)
    {
        json.WriteStartObject();
        json.WriteString("experiment_id", experiment.Id);
        json.WriteString("name", experiment.Name);
        json.WriteString("artifact_location", uris.Of(experiment));
        json.WriteString("lifecycle_stage", Stage(experiment.IsDeleted));
        json.WriteNumber("last_update_time", experiment.Updated);
        json.WriteNumber("creation_time", experiment.Created);
        json.Pairs("tags", tags);
        json.WriteEndObject();
    }

    public static void RunInfo(this Utf8JsonWriter json, string member, RunRow run, ArtifactUris uris)
    {
        json.WriteStartObject(member);
        json.WriteString("run_uuid", run.Id);
        json.WriteString("experiment_id", run.ExperimentId);
        json.WriteString("run_name", run.Name);
        json.WriteString("user_id", run.User);
        json.WriteString("status", run.State.ToMlflow());
        json.WriteNumber("start_time", run.StartTime);
        if (run.Ended is { } ended)
        {
            json.WriteNumber("end_time", ended);
        }

        json.WriteString("artifact_uri", uris.Of(run));
        json.WriteString("lifecycle_stage", Stage(run.IsDeleted));
        json.WriteString("run_id", run.Id);
        json.WriteEndObject();
    }

    /// <summary>The members of a <c>Run</c> message; the caller writes the braces.</summary>
    public static void RunMembers(this Utf8JsonWriter json, RunDetail run, ArtifactUris uris)
    {
        json.RunInfo("info", run.Row, uris);
        json.WriteStartObject("data");
        if (run.Metrics.Any())
        {
            json.WriteStartArray("metrics");
            foreach (var metric in run.Metrics)
            {
                json.Metric(metric);
            }

            json.WriteEndArray();
        }

        json.Pairs("params", run.Params);
        json.Pairs("tags", run.Tags);
        json.WriteEndObject();
        json.Inputs(run.Inputs);
    }

    /// <summary>A point, with the id of its run where several runs are answered together.</summary>
    public static void Metric(this Utf8JsonWriter json, MetricRow metric, string? run = null)
    {
        json.WriteStartObject();
        json.WriteString("key", metric.Name);
        json.Real("value", metric.Real);
        json.WriteNumber("timestamp", metric.Time);
        json.WriteNumber("step", metric.Step);
        if (run is not null)
        {
            json.WriteString("run_id", run);
        }

        json.WriteEndObject();
    }

    public static void Real(this Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.WriteString(name, double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        }
    }

    public static void Pairs(this Utf8JsonWriter json, string member, IEnumerable<(string Name, string Value)> pairs)
    {
        var any = false;
        foreach (var (name, value) in pairs)
        {
            if (!any)
            {
                json.WriteStartArray(member);
                any = true;
            }

            json.WriteStartObject();
            json.WriteString("key", name);
            json.WriteString("value", value);
            json.WriteEndObject();
        }

        if (any)
        {
            json.WriteEndArray();
        }
    }

    private static string Stage(bool deleted) => deleted ? "deleted" : "active";
}
