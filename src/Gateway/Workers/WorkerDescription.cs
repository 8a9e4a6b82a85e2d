using System.Text.Json;
using System.Text.Json.Serialization;

namespace Zaffre.Gateway.Workers;

/// <summary>
/// What a runtime says of itself in its hello, so that the gateway answers for it without a scoring process. Written by user code's
/// process: nothing in it is trusted beyond being shown to callers of the same endpoint.
/// </summary>
internal sealed record WorkerDescription
{
    public const int MaxBytes = 1 << 20;

    public static WorkerDescription None { get; } = new();

    /// <summary>What <c>/version</c> answers: the MLflow version that wrote the model. Null when the runtime serves no MLflow routes.</summary>
    public string? Version { get; init; }

    /// <summary><c>/invocations</c> is a route of the runtime.</summary>
    public bool Invocations { get; init; }

    /// <summary>The OpenAPI document: the script's own, or what the runtime made of its schema or signature.</summary>
    public JsonElement? Swagger { get; init; }

    /// <summary>A document of Swagger 2.0 when the script's folder has one.</summary>
    public JsonElement? Swagger2 { get; init; }

    /// <summary>Reads the body of a hello; what cannot be read says nothing.</summary>
    public static WorkerDescription Parse(ReadOnlySpan<byte> body)
    {
        try
        {
            return body.IsEmpty ? None : JsonSerializer.Deserialize(body, WorkerJson.Default.WorkerDescription) ?? None;
        }
        catch (JsonException)
        {
            return None;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WorkerDescription))]
internal sealed partial class WorkerJson : JsonSerializerContext;
