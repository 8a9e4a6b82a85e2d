using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Zaffre.Recording;

/// <summary>One request and its answer, sanitized: a line of a recording (docs/recording.md).</summary>
public sealed record Exchange
{
    /// <summary>Order of arrival in the session, from 1.</summary>
    [JsonPropertyName("n")]
    public required long Number { get; init; }

    /// <summary>Seconds from the start of the session to the request.</summary>
    public double At { get; init; }

    /// <summary>Milliseconds from the request to the end of the answer.</summary>
    public double Ms { get; init; }

    /// <summary>Whether a job sent it, by its own token.</summary>
    public bool Job { get; init; }

    /// <summary>How many exchanges before this one were left out because the disk did not keep up.</summary>
    public long Dropped { get; init; }

    /// <summary>What was sent.</summary>
    public required RecordedRequest Request { get; init; }

    /// <summary>What came back.</summary>
    public required RecordedAnswer Answer { get; init; }
}

/// <summary>A request; header names in lower case.</summary>
public sealed record RecordedRequest
{
    public required string Method { get; init; }

    /// <summary>Host and port as the client named them.</summary>
    public required string Host { get; init; }

    /// <summary>Path and query as sent.</summary>
    public required string Target { get; init; }

    public SortedDictionary<string, string> Headers { get; init; } = new(StringComparer.Ordinal);

    public RecordedBody? Body { get; init; }
}

/// <summary>An answer; header names in lower case.</summary>
public sealed record RecordedAnswer
{
    public required int Status { get; init; }

    /// <summary>Whether the client left before the end.</summary>
    public bool Aborted { get; init; }

    public SortedDictionary<string, string> Headers { get; init; } = new(StringComparer.Ordinal);

    public RecordedBody? Body { get; init; }
}

/// <summary>A body: JSON, a form, text, or the length and digest of what is none of these or too long.</summary>
public sealed record RecordedBody
{
    public JsonNode? Json { get; init; }

    public SortedDictionary<string, string>? Form { get; init; }

    public string? Text { get; init; }

    /// <summary>In bytes; only with <see cref="Sha256"/>.</summary>
    public long? Length { get; init; }

    /// <summary>Lower-case hex.</summary>
    public string? Sha256 { get; init; }
}

/// <summary>The first line of a file.</summary>
internal sealed record RecordingHead
{
    public const string Name = "zaffre-recording";

    public string? Format { get; init; }

    public int Version { get; init; }

    /// <summary>Placeholders mean the same within one session.</summary>
    public string? Session { get; init; }

    public string? Program { get; init; }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, MaxDepth = 160)]
[JsonSerializable(typeof(Exchange))]
[JsonSerializable(typeof(RecordingHead))]
internal sealed partial class RecordingJson : JsonSerializerContext
{
    /// <summary>Readable lines: quotes and braces of placeholders are not escaped more than JSON needs.</summary>
    public static RecordingJson Lines { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        MaxDepth = 160,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
