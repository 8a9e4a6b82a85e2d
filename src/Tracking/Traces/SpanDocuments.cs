using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Tracking.Traces;

/// <summary>What the server reads of a span document.</summary>
internal static class SpanDocuments
{
    private const int IdBytes = 16;

    /// <summary>The row of a span. MLflow's own id of the trace, an attribute, goes before OpenTelemetry's.</summary>
    public static SpanRow Row(JsonObject span)
    {
        var traceId = Bytes(span.Text("trace_id"));
        var spanId = Bytes(span.Text("span_id"));
        if (traceId.Length != IdBytes || spanId.Length == 0)
        {
            throw new ProtobufException("a span has no trace id of 16 bytes, or no id");
        }

        var attributes = (span["attributes"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        var named = Attribute(attributes, TraceKeys.RequestId);
        return new SpanRow(
            named?.StartsWith("tr-", StringComparison.Ordinal) == true ? named : "tr-" + Convert.ToHexStringLower(traceId),
            Convert.ToHexStringLower(spanId),
            span.Text("parent_span_id") is { Length: > 0 } parent ? parent : null,
            span.Text("name") ?? "",
            Attribute(attributes, TraceKeys.SpanType) ?? "UNKNOWN",
            Status(span),
            Nanoseconds(span, "start_time_unix_nano"),
            Nanoseconds(span, "end_time_unix_nano"),
            span);
    }

    private static string Status(JsonObject span) => span.Object("status")?.Text("code") switch
    {
        "STATUS_CODE_OK" => "OK",
        "STATUS_CODE_ERROR" => "ERROR",
        _ => "UNSET",
    };

    private static long Nanoseconds(JsonObject span, string member) => span[member] is JsonValue value && value.TryGetValue<long>(out var time) ? time : 0;

    private static byte[] Bytes(string? base64)
    {
        try
        {
            return Convert.FromBase64String(base64 ?? "");
        }
        catch (FormatException)
        {
            return [];
        }
    }

    /// <summary>A text attribute; MLflow writes its own as JSON, so that text has quotes.</summary>
    private static string? Attribute(List<JsonObject> attributes, string key)
    {
        var text = attributes.FirstOrDefault(attribute => attribute.Text("key") == key)?.Object("value")?.Text("string_value");
        if (text is not ['"', ..])
        {
            return text;
        }

        try
        {
            return JsonNode.Parse(text).Text();
        }
        catch (JsonException)
        {
            return text;
        }
    }
}
