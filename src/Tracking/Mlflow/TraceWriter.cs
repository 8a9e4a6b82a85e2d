using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Writes traces: <c>TraceInfoV3</c>, <c>TraceInfo</c> of version 2, assessments.</summary>
internal static class TraceWriter
{
    public static string Wire(TraceState state) => state switch
    {
        TraceState.Ok => "OK",
        TraceState.Error => "ERROR",
        TraceState.InProgress => "IN_PROGRESS",
        _ => "STATE_UNSPECIFIED",
    };

    public static string Time(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The members of <c>TraceInfoV3</c>; the caller writes the braces.</summary>
    public static void TraceInfo(this Utf8JsonWriter json, TraceDetail trace)
    {
        var row = trace.Row;
        json.WriteString("trace_id", row.Id);
        Text(json, "client_request_id", row.ClientRequestId);
        json.WriteStartObject("trace_location");
        json.WriteString("type", "MLFLOW_EXPERIMENT");
        json.WriteStartObject("mlflow_experiment");
        json.WriteString("experiment_id", row.ExperimentId);
        json.WriteEndObject();
        json.WriteEndObject();
        Text(json, "request_preview", row.RequestPreview);
        Text(json, "response_preview", row.ResponsePreview);
        json.WriteString("request_time", Time(row.Time));
        if (row.Duration is { } duration)
        {
            json.WriteString("execution_duration", string.Create(CultureInfo.InvariantCulture, $"{duration / 1000.0:0.000}s"));
        }

        json.WriteString("state", Wire((TraceState)row.State));
        Map(json, "trace_metadata", trace.Metadata);
        if (trace.Assessments.Any())
        {
            json.WriteStartArray("assessments");
            foreach (var assessment in trace.Assessments)
            {
                Assessment(assessment, row.Id).WriteTo(json);
            }

            json.WriteEndArray();
        }

        Map(json, "tags", trace.Tags);
    }

    /// <summary>The members of version 2's <c>TraceInfo</c>.</summary>
    public static void TraceInfoV2(this Utf8JsonWriter json, TraceDetail trace)
    {
        var row = trace.Row;
        json.WriteString("request_id", row.Id);
        json.WriteString("experiment_id", row.ExperimentId);
        json.WriteNumber("timestamp_ms", row.Time);
        if (row.Duration is { } duration)
        {
            json.WriteNumber("execution_time_ms", duration);
        }

        json.WriteString("status", row.State == (long)TraceState.Unspecified ? "TRACE_STATUS_UNSPECIFIED" : Wire((TraceState)row.State));
        json.Pairs("request_metadata", trace.Metadata);
        json.Pairs("tags", trace.Tags);
    }

    /// <summary>The message as it was sent, with what the server knows of it.</summary>
    public static JsonObject Assessment(AssessmentRow row, string trace)
    {
        var document = (JsonObject)JsonNode.Parse(row.Document)!;
        document["assessment_id"] = row.Id;
        document["trace_id"] = trace;
        document["create_time"] = Time(row.Created);
        document["last_update_time"] = Time(row.Updated);
        document["valid"] = row.Valid != 0;
        return document;
    }

    private static void Text(Utf8JsonWriter json, string member, string? value)
    {
        if (value is not null)
        {
            json.WriteString(member, value);
        }
    }

    private static void Map(Utf8JsonWriter json, string member, IEnumerable<(string Name, string Value)> pairs)
    {
        if (!pairs.Any())
        {
            return;
        }

        json.WriteStartObject(member);
        foreach (var (name, value) in pairs)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
    }
}
