using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>Traces of MLflow's database: those of version 2, and those of version 3 with spans and assessments.</summary>
internal sealed class SqliteTraces(SqliteRows rows, LocalFiles files)
{
    private const int SpansPerRecord = 200;
    private const string Prompts = "mlflow.linkedPrompts";
    private const string ArtifactLocation = "mlflow.artifactLocation";

    public IEnumerable<TransferItem> Of(long experiment, string name)
    {
        foreach (var record in rows.Of("trace_info", "WHERE experiment_id = @experiment ORDER BY timestamp_ms, request_id", row => Trace(row, name), ("experiment", experiment)))
        {
            var id = (string)record["id"]!;
            var tags = rows.Pairs("trace_tags", "request_id", id);
            record["tags"] = tags;
            record["metadata"] = rows.Pairs("trace_request_metadata", "request_id", id);
            record["runs"] = new JsonArray([.. Linked(id, "run").Select(run => JsonValue.Create(run))]);
            record["assessments"] = new JsonArray([.. rows.Of("assessments", "WHERE trace_id = @id ORDER BY created_timestamp, assessment_id", Assessment, ("id", id))]);
            if (!tags.ContainsKey(Prompts) && PromptLinks(id) is { Count: > 0 } prompts)
            {
                tags[Prompts] = prompts.ToJsonString(ZaffreJson.Options);
            }

            yield return new TransferItem(record, files.Tree("trace/" + id, tags.Text(ArtifactLocation)));
            foreach (var spans in rows.Of("spans", "WHERE trace_id = @id ORDER BY start_time_unix_nano, span_id", row => SpanForm.Wire(row.Text("content")), ("id", id)).OfType<JsonObject>().Chunk(SpansPerRecord))
            {
                yield return new TransferItem(new JsonObject { ["kind"] = "spans", ["trace"] = id, ["spans"] = new JsonArray([.. spans]) });
            }
        }
    }

    private static JsonObject Trace(SqliteRow row, string experiment) => new()
    {
        ["kind"] = "trace",
        ["id"] = row.Text("request_id"),
        ["experiment"] = experiment,
        ["client_request_id"] = row.Text("client_request_id"),
        ["request_preview"] = row.Text("request_preview"),
        ["response_preview"] = row.Text("response_preview"),
        ["time"] = row.Whole("timestamp_ms"),
        ["duration"] = row.Whole("execution_time_ms"),
        ["state"] = row.Text("status"),
    };

    private IEnumerable<string> Linked(string trace, string kind) => rows.Of(
        "entity_associations",
        "WHERE source_type = 'trace' AND source_id = @trace AND destination_type = @kind ORDER BY destination_id",
        row => row.Text("destination_id")!,
        ("trace", trace),
        ("kind", kind));

    private JsonArray PromptLinks(string trace) => new([.. Linked(trace, "prompt_version").Select(id => id.LastIndexOf('/') is var slash and > 0
        ? new JsonObject { ["name"] = id[..slash], ["version"] = id[(slash + 1)..] }
        : null).OfType<JsonObject>()]);

    /// <summary>A row as MLflow's message of an assessment, with its times in milliseconds.</summary>
    private static JsonObject Assessment(SqliteRow row)
    {
        var message = new JsonObject
        {
            ["assessment_id"] = row.Text("assessment_id"),
            ["assessment_name"] = row.Text("name"),
            ["source"] = new JsonObject { ["source_type"] = row.Text("source_type"), ["source_id"] = row.Text("source_id") },
            ["valid"] = row.Whole("valid") != 0,
            ["created"] = row.Whole("created_timestamp"),
            ["updated"] = row.Whole("last_updated_timestamp"),
        };
        foreach (var (member, column) in new[] { ("span_id", "span_id"), ("rationale", "rationale"), ("overrides", "overrides") })
        {
            if (row.Text(column) is { Length: > 0 } text)
            {
                message[member] = text;
            }
        }

        if (Parsed(row.Text("assessment_metadata")) is JsonObject metadata)
        {
            message["metadata"] = metadata;
        }

        var (kind, value) = (row.Text("assessment_type") ?? "feedback", Parsed(row.Text("value")));
        message[kind] = kind == "expectation" && value is JsonObject or JsonArray
            ? new JsonObject { ["serialized_value"] = new JsonObject { ["value"] = value.ToJsonString(ZaffreJson.Options), ["serialization_format"] = "JSON_FORMAT" } }
            : kind == "issue" ? value as JsonObject ?? new JsonObject { ["issue_name"] = value.Text() ?? row.Text("name") }
            : new JsonObject { ["value"] = value };
        if (kind == "feedback" && Parsed(row.Text("error")) is JsonObject error)
        {
            ((JsonObject)message[kind]!)["error"] = error;
        }

        return message;
    }

    private static JsonNode? Parsed(string? json)
    {
        try
        {
            return json is null ? null : JsonNode.Parse(json);
        }
        catch (JsonException)
        {
            return json;
        }
    }
}

/// <summary>Spans in the two forms that MLflow has: the document of its database, with attributes as an object, and OTLP's, which the wire carries.</summary>
internal static class SpanForm
{
    private static readonly string[] Numbers = ["start_time_unix_nano", "end_time_unix_nano", "time_unix_nano"];

    private static readonly string[] Optional = ["parent_span_id", "trace_state", "links"];

    /// <summary>The wire's form of a document of the database; null when it is none.</summary>
    public static JsonObject? Wire(string? content)
    {
        try
        {
            return content is not null && JsonNode.Parse(content) is JsonObject span ? Wire(span) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The wire's form of either form.</summary>
    public static JsonObject Wire(JsonObject span)
    {
        var wire = new JsonObject();
        foreach (var (name, value) in span)
        {
            wire[name] = name switch
            {
                "attributes" => Attributes(value),
                "events" when value is JsonArray events => new JsonArray([.. events.OfType<JsonObject>().Select(Wire)]),
                _ when Numbers.Contains(name) && value.Text() is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
                _ => value?.DeepClone(),
            };
        }

        FromVersion2(span, wire);
        foreach (var name in Optional.Where(name => wire[name] is null or JsonArray { Count: 0 }))
        {
            wire.Remove(name);
        }

        return wire;
    }

    /// <summary>The document that MLflow's database keeps.</summary>
    public static JsonObject Stored(JsonObject wire)
    {
        var stored = wire.Copy();
        stored["attributes"] = Map(wire["attributes"]);
        stored["parent_span_id"] ??= null;
        stored["status"] ??= new JsonObject { ["message"] = "", ["code"] = "STATUS_CODE_UNSET" };
        stored["events"] = new JsonArray([.. (wire["events"] as JsonArray ?? []).OfType<JsonObject>().Select(one =>
        {
            var copy = one.Copy();
            copy["attributes"] = Map(one["attributes"]);
            return copy;
        })]);
        return stored;
    }

    private static JsonObject Map(JsonNode? attributes)
    {
        var map = new JsonObject();
        foreach (var attribute in (attributes as JsonArray ?? []).OfType<JsonObject>())
        {
            map[attribute.Text("key") ?? ""] = Value(attribute.Object("value"));
        }

        return map;
    }

    private static JsonNode? Value(JsonObject? any) => any?.FirstOrDefault() switch
    {
        { Key: "int_value", Value: { } number } when long.TryParse(number.Text(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
        { Key: "array_value", Value: JsonObject list } => new JsonArray([.. (list["values"] as JsonArray ?? []).OfType<JsonObject>().Select(Value)]),
        { Value: { } value } => value.DeepClone(),
        _ => null,
    };

    private static JsonArray Attributes(JsonNode? attributes) => attributes switch
    {
        JsonArray list => (JsonArray)list.DeepClone(),
        JsonObject map => new JsonArray([.. map.Select(pair => new JsonObject { ["key"] = pair.Key, ["value"] = Any(pair.Value) })]),
        _ => [],
    };

    private static JsonObject Any(JsonNode? value) => value switch
    {
        null => [],
        JsonArray list => new JsonObject { ["array_value"] = new JsonObject { ["values"] = new JsonArray([.. list.Select(Any)]) } },
        JsonValue scalar when scalar.TryGetValue<string>(out var text) => new JsonObject { ["string_value"] = text },
        JsonValue scalar when scalar.TryGetValue<bool>(out var flag) => new JsonObject { ["bool_value"] = flag },
        JsonValue scalar when scalar.TryGetValue<long>(out var whole) => new JsonObject { ["int_value"] = whole },
        JsonValue scalar when scalar.TryGetValue<double>(out var real) => new JsonObject { ["double_value"] = real },
        _ => new JsonObject { ["string_value"] = value.ToJsonString(ZaffreJson.Options) },
    };

    // MLflow 2 wrote ids as hexadecimal numbers below "context", and other names for times and state.
    private static void FromVersion2(JsonObject span, JsonObject wire)
    {
        if (span.Object("context") is { } context)
        {
            wire["trace_id"] = Base64(context.Text("trace_id"), 16);
            wire["span_id"] = Base64(context.Text("span_id"), 8);
            wire["parent_span_id"] = span.Text("parent_id") is { Length: > 0 } parent ? Base64(parent, 8) : null;
            wire["start_time_unix_nano"] = span["start_time"]?.DeepClone();
            wire["end_time_unix_nano"] = span["end_time"]?.DeepClone();
            wire["status"] = new JsonObject { ["code"] = "STATUS_CODE_" + (span.Text("status_code") ?? "UNSET"), ["message"] = span.Text("status_message") ?? "" };
            foreach (var name in new[] { "context", "parent_id", "start_time", "end_time", "status_code", "status_message" })
            {
                wire.Remove(name);
            }
        }
    }

    private static string? Base64(string? hex, int bytes)
    {
        var digits = hex?.StartsWith("0x", StringComparison.Ordinal) == true ? hex[2..] : hex;
        return digits is not null && digits.Length <= bytes * 2 && digits.All(char.IsAsciiHexDigit) ? Convert.ToBase64String(Convert.FromHexString(digits.PadLeft(bytes * 2, '0'))) : hex;
    }
}
