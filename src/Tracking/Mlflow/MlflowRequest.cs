using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Zaffre.Kernel;

namespace Zaffre.Tracking.Mlflow;

/// <summary>
/// The parameters of a call: the JSON body, or the query of a GET and of a call without a body. Reads as leniently as MLflow does: unknown members
/// are ignored, numbers may be strings, and an empty string is a missing one. Valid until the request ends.
/// </summary>
internal sealed class MlflowRequest
{
    /// <summary>Most bytes of a body; a dataset may have a profile of 16,777,215 characters.</summary>
    public const int Limit = 20 * 1024 * 1024;

    private const int MaxDepth = 64;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = MaxDepth };

    private static readonly JsonDocumentOptions Once = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    private readonly JsonElement body;
    private readonly IQueryCollection? query;

    private MlflowRequest(JsonElement body, IQueryCollection? query, long length) => (this.body, this.query, Length) = (body, query, length);

    /// <summary>One object of a list.</summary>
    public static MlflowRequest Of(JsonElement item) => new(item, null, 0);

    /// <summary>Bytes of the body.</summary>
    public long Length { get; }

    /// <summary>The query of a call whose body is content.</summary>
    public static MlflowRequest OfQuery(HttpRequest request) => new(default, request.Query, 0);

    public static async Task<MlflowRequest> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        if (HttpMethods.IsGet(request.Method))
        {
            return new MlflowRequest(default, request.Query, 0);
        }

        var read = await RequestBody.ReadAsync(request, Limit, ct);
        if (read.Bytes.Length == 0)
        {
            return new MlflowRequest(default, request.Query, 0);
        }

        try
        {
            if (JsonText.Fault(read.Bytes.Span, MaxDepth) is { } fault)
            {
                throw MlflowErrors.BadRequest($"Malformed request: the body is not valid JSON: {fault}");
            }

            var root = read.Parse(Reading);
            return root.ValueKind == JsonValueKind.Object
                ? new MlflowRequest(root, null, read.Bytes.Length)
                : throw MlflowErrors.BadRequest("Malformed request: the body must be a JSON object.");
        }
        catch (JsonException exception)
        {
            throw MlflowErrors.BadRequest($"Malformed request: the body is not valid JSON: {exception.Message}");
        }
    }

    /// <summary>The member as text, or null when it is absent or empty.</summary>
    public string? Text(string name)
    {
        var text = AnyText(name);
        return text?.Length > 0 ? text : null;
    }

    /// <summary>The member as text, empty when absent.</summary>
    public string TextOrEmpty(string name) => AnyText(name) ?? "";

    public string RequiredText(string name) => Text(name) ?? throw MlflowErrors.Missing(name);

    /// <summary>The run that is meant: <c>run_id</c>, or <c>run_uuid</c> of old clients.</summary>
    public string RunId() => Text("run_id") ?? Text("run_uuid") ?? throw MlflowErrors.Missing("run_id");

    public long? Long(string name)
    {
        if (Scalar(name) is not { } scalar)
        {
            return null;
        }

        if (long.TryParse(scalar, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        return double.TryParse(scalar, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && Math.Abs(real) < 9e18 && Math.Floor(real) == real
            ? (long)real
            : throw MlflowErrors.InvalidValue(name, $"'{scalar}'", "it must be an integer.");
    }

    public bool Flag(string name) => AnyText(name)?.ToLowerInvariant() switch
    {
        null or "" or "false" => false,
        "true" => true,
        { } other => throw MlflowErrors.InvalidValue(name, $"'{other}'", "it must be true or false."),
    };

    public double? Double(string name)
    {
        if (Scalar(name) is not { } scalar)
        {
            return null;
        }

        return scalar switch
        {
            "NaN" or "nan" => double.NaN,
            "Infinity" or "inf" => double.PositiveInfinity,
            "-Infinity" or "-inf" => double.NegativeInfinity,
            _ when double.TryParse(scalar, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            _ => throw MlflowErrors.InvalidValue(name, $"'{scalar}'", "it must be a number."),
        };
    }

    public IReadOnlyList<string> Texts(string name)
    {
        if (query is not null)
        {
            return [.. query[name].Concat(query[name + "[]"]).OfType<string>().Select(text => WithoutNul(name, text)!)];
        }

        return Member(name) is not { ValueKind: not JsonValueKind.Null } list ? []
            : list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Select(item => AsText(name, item) ?? "")]
            : throw MlflowErrors.InvalidValue(name, list.GetRawText(), "it must be a list of strings.");
    }

    /// <summary>The member as it was sent, whatever it is.</summary>
    public IEnumerable<string?> Raw(string name) => query is not null ? Texts(name) : Member(name) is { } value ? [value.GetRawText()] : [];

    /// <summary>The member as an object, or null when it is absent.</summary>
    public MlflowRequest? Object(string name) => query is not null || Member(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? new MlflowRequest(value, null, 0)
        : throw MlflowErrors.Invalid($"Invalid value for parameter '{name}' supplied: it must be an object.");

    /// <summary>The member as a document of its own, or null when it is absent or no object.</summary>
    public JsonObject? Json(string name)
    {
        try
        {
            return query is null && Member(name) is { ValueKind: JsonValueKind.Object } value ? JsonNode.Parse(value.GetRawText(), documentOptions: Once) as JsonObject : null;
        }
        catch (JsonException exception)
        {
            throw MlflowErrors.InvalidValue(name, "of this request", exception.Message);
        }
    }

    /// <summary>The members of a map, each as a request with <c>key</c> and <c>value</c>.</summary>
    public IReadOnlyList<MlflowRequest> Map(string name)
    {
        if (query is not null || Member(name) is not { } map)
        {
            return [];
        }

        return map.ValueKind == JsonValueKind.Object
            ? [.. map.EnumerateObject().Select(member => new MlflowRequest(JsonSerializer.SerializeToElement(new JsonObject { ["key"] = member.Name, ["value"] = AsText(member.Name, member.Value) }, ZaffreJson.Options), null, 0))]
            : throw MlflowErrors.Invalid($"Invalid value for parameter '{name}' supplied: it must be an object.");
    }

    public IReadOnlyList<MlflowRequest> Objects(string name) => [.. Elements(name).Select(item => new MlflowRequest(item, null, 0))];

    /// <summary>As <see cref="Objects"/>, for lists that are long.</summary>
    public IReadOnlyList<JsonElement> Elements(string name)
    {
        if (query is not null || Member(name) is not { } list)
        {
            return [];
        }

        return list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object)
            ? [.. list.EnumerateArray()]
            : throw MlflowErrors.Invalid($"Invalid value for parameter '{name}' supplied: it must be a list of objects.");
    }

    private string? AnyText(string name) => query is not null ? First(name, query[name]) : Member(name) is { } value ? AsText(name, value) : null;

    private string? Scalar(string name)
    {
        var scalar = AnyText(name);
        return string.IsNullOrEmpty(scalar) ? null : scalar;
    }

    private JsonElement? Member(string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The store compares texts to their first NUL in some places and beyond it in others. Keys have rules of their own.</summary>
    private static string? WithoutNul(string name, string? text) => name != "key" && text?.Contains('\0', StringComparison.Ordinal) == true
        ? throw MlflowErrors.Invalid($"Invalid value for parameter '{name}' supplied: it contains a NUL character.")
        : text;

    private static string? First(string name, StringValues values) => values.Count > 0 ? WithoutNul(name, values[0]) : null;

    private static string? AsText(string name, JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => WithoutNul(name, value.GetString()),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
                _ => throw MlflowErrors.InvalidValue(name, value.GetRawText(), "it must be a string."),
            };
        }
        catch (InvalidOperationException)
        {
            throw MlflowErrors.Invalid($"Invalid value for parameter '{name}' supplied: it is not valid Unicode text.");
        }
    }
}
