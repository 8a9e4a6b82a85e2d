using System.Text.Json.Nodes;

namespace Zaffre.Tracking.Traces;

/// <summary>
/// Reads an OTLP export request (<c>opentelemetry.proto.collector.trace.v1</c>) in protobuf into the span documents of MLflow's wire:
/// proto names in snake case, 64-bit integers as numbers, bytes in base64.
/// </summary>
internal static class OtlpReader
{
    /// <summary>Most spans of one request: a span of a few bytes becomes a document of a thousand. Exporters send some hundreds at once.</summary>
    public const int MostSpans = 50_000;

    private const int DeepestValue = 16;
    private static readonly string[] Kinds = ["SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"];
    private static readonly string[] Codes = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

    private delegate void Field(JsonObject document, ref ProtobufReader reader);

    /// <summary>The documents of all spans; throws <see cref="ProtobufException"/>.</summary>
    public static List<JsonObject> Read(ReadOnlySpan<byte> request)
    {
        var spans = new List<JsonObject>();
        var resources = new ProtobufReader(request);
        while (resources.Next())
        {
            var scopes = new ProtobufReader(resources.Field == 1 ? resources.Bytes : default);
            while (scopes.Next())
            {
                var scope = new ProtobufReader(scopes.Field == 2 ? scopes.Bytes : default);
                while (scope.Next())
                {
                    if (scope.Field == 2)
                    {
                        spans.Add(spans.Count < MostSpans ? Message(scope.Bytes, Span) : throw TooMany());
                    }
                }
            }
        }

        return spans;
    }

    public static ProtobufException TooMany() => new($"it holds more than {MostSpans} spans");

    private static JsonObject Message(ReadOnlySpan<byte> bytes, Field field)
    {
        var document = new JsonObject();
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            field(document, ref reader);
        }

        return document;
    }

    private static void Span(JsonObject span, ref ProtobufReader reader)
    {
        switch (reader.Field)
        {
            case 1: span["trace_id"] = Convert.ToBase64String(reader.Bytes); break;
            case 2: span["span_id"] = Convert.ToBase64String(reader.Bytes); break;
            case 3: span["trace_state"] = reader.Text; break;
            case 4: span["parent_span_id"] = Convert.ToBase64String(reader.Bytes); break;
            case 5: span["name"] = reader.Text; break;
            case 6: span["kind"] = Kinds[reader.Number < (ulong)Kinds.Length ? (int)reader.Number : 0]; break;
            case 7: span["start_time_unix_nano"] = (long)reader.Number; break;
            case 8: span["end_time_unix_nano"] = (long)reader.Number; break;
            case 9: Append(span, "attributes", KeyValue(reader.Bytes, 0)); break;
            case 10: span["dropped_attributes_count"] = (long)reader.Number; break;
            case 11: Append(span, "events", Message(reader.Bytes, Event)); break;
            case 12: span["dropped_events_count"] = (long)reader.Number; break;
            case 13: Append(span, "links", Message(reader.Bytes, Link)); break;
            case 14: span["dropped_links_count"] = (long)reader.Number; break;
            case 15: span["status"] = Message(reader.Bytes, Status); break;
            case 16: span["flags"] = (long)reader.Number; break;
            default: break;
        }
    }

    private static void Event(JsonObject document, ref ProtobufReader reader)
    {
        switch (reader.Field)
        {
            case 1: document["time_unix_nano"] = (long)reader.Number; break;
            case 2: document["name"] = reader.Text; break;
            case 3: Append(document, "attributes", KeyValue(reader.Bytes, 0)); break;
            case 4: document["dropped_attributes_count"] = (long)reader.Number; break;
            default: break;
        }
    }

    private static void Link(JsonObject document, ref ProtobufReader reader)
    {
        switch (reader.Field)
        {
            case 1: document["trace_id"] = Convert.ToBase64String(reader.Bytes); break;
            case 2: document["span_id"] = Convert.ToBase64String(reader.Bytes); break;
            case 3: document["trace_state"] = reader.Text; break;
            case 4: Append(document, "attributes", KeyValue(reader.Bytes, 0)); break;
            default: break;
        }
    }

    private static void Status(JsonObject document, ref ProtobufReader reader)
    {
        switch (reader.Field)
        {
            case 2: document["message"] = reader.Text; break;
            case 3: document["code"] = Codes[reader.Number < (ulong)Codes.Length ? (int)reader.Number : 0]; break;
            default: break;
        }
    }

    private static JsonObject KeyValue(ReadOnlySpan<byte> bytes, int depth)
    {
        var document = new JsonObject();
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                document["key"] = reader.Text;
            }
            else if (reader.Field == 2)
            {
                document["value"] = AnyValue(reader.Bytes, depth + 1);
            }
        }

        return document;
    }

    private static JsonObject AnyValue(ReadOnlySpan<byte> bytes, int depth)
    {
        if (depth > DeepestValue)
        {
            throw new ProtobufException($"an attribute is nested deeper than {DeepestValue}");
        }

        var document = new JsonObject();
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: document["string_value"] = reader.Text; break;
                case 2: document["bool_value"] = reader.Number != 0; break;
                case 3: document["int_value"] = (long)reader.Number; break;
                case 4: document["double_value"] = Real(BitConverter.UInt64BitsToDouble(reader.Number)); break;
                case 5: document["array_value"] = Items(reader.Bytes, "values", depth); break;
                case 6: document["kvlist_value"] = Items(reader.Bytes, "values", depth, pairs: true); break;
                case 7: document["bytes_value"] = Convert.ToBase64String(reader.Bytes); break;
                default: break;
            }
        }

        return document;
    }

    private static JsonObject Items(ReadOnlySpan<byte> bytes, string member, int depth, bool pairs = false)
    {
        var document = new JsonObject();
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                Append(document, member, pairs ? KeyValue(reader.Bytes, depth) : AnyValue(reader.Bytes, depth + 1));
            }
        }

        return document;
    }

    private static JsonNode Real(double value) => double.IsFinite(value) ? value : double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

    private static void Append(JsonObject document, string member, JsonObject item)
    {
        document[member] ??= new JsonArray();
        document[member]!.AsArray().Add(item);
    }
}
