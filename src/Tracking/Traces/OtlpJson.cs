using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Tracking.Traces;

/// <summary>OTLP's JSON (camel case, ids in hex, 64-bit integers as strings) as the documents that <see cref="OtlpReader"/> makes.</summary>
internal static class OtlpJson
{
    private static readonly HashSet<string> Ids = new(["traceId", "spanId", "parentSpanId"], StringComparer.Ordinal);
    private static readonly HashSet<string> Integers = new(["startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "intValue"], StringComparer.Ordinal);
    private static readonly string[] Kinds = ["SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"];
    private static readonly string[] Codes = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

    public static List<JsonObject> Read(JsonObject request)
    {
        var spans = List(request, "resourceSpans").SelectMany(resource => List(resource, "scopeSpans")).SelectMany(scope => List(scope, "spans")).Take(OtlpReader.MostSpans + 1).ToList();
        return spans.Count <= OtlpReader.MostSpans ? spans.ConvertAll(Convert) : throw OtlpReader.TooMany();
    }

    private static IEnumerable<JsonObject> List(JsonObject document, string member) => (document[member] as JsonArray ?? []).OfType<JsonObject>();

    private static JsonObject Convert(JsonObject from)
    {
        var document = new JsonObject();
        foreach (var (name, value) in from)
        {
            document[Snake(name)] = (name, value) switch
            {
                (_, null) => null,
                ("kind", JsonValue kind) => Named(Kinds, kind),
                ("code", JsonValue code) => Named(Codes, code),
                (_, JsonValue id) when Ids.Contains(name) => Base64(id.Text() ?? ""),
                (_, JsonValue number) when Integers.Contains(name) => long.TryParse(number.Text(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) ? integer : 0L,
                (_, JsonObject inner) => Convert(inner),
                (_, JsonArray list) => new JsonArray([.. list.Select(item => item is JsonObject inner ? Convert(inner) : item?.DeepClone())]),
                _ => value.DeepClone(),
            };
        }

        return document;
    }

    private static string Named(string[] names, JsonValue value) => value.Text() switch
    {
        { } text when names.Contains(text, StringComparer.Ordinal) => text,
        { } text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < names.Length => names[index],
        _ => names[0],
    };

    private static string Base64(string hex)
    {
        try
        {
            return System.Convert.ToBase64String(System.Convert.FromHexString(hex));
        }
        catch (FormatException)
        {
            throw new ProtobufException($"'{(hex.Length > 40 ? hex[..40] : hex)}' is no id in hex digits");
        }
    }

    private static string Snake(string name)
    {
        var snake = new StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            _ = char.IsAsciiLetterUpper(c) ? snake.Append('_').Append(char.ToLowerInvariant(c)) : snake.Append(c);
        }

        return snake.ToString();
    }
}
