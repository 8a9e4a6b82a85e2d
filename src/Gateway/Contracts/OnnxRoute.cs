using System.Text.Json;

namespace Zaffre.Gateway;

/// <summary>
/// ONNX models of one deployment's generation, which the gateway loads and scores itself. <paramref name="Folder"/> is a copy that nobody else
/// writes to; another generation has another folder.
/// </summary>
public sealed record OnnxRoute(string Folder)
{
    /// <summary>SHA-256 over names and contents of the folder's files, as it was copied.</summary>
    public string Digest { get; init; } = "";

    /// <summary>The model file, relative to the folder; null when the folder is a Triton-style repository.</summary>
    public string? File { get; init; }

    /// <summary>How the Open Inference Protocol names the one model; those of a repository are named by their folders.</summary>
    public string Model { get; init; } = "model";

    /// <summary>Its version there.</summary>
    public string Version { get; init; } = "1";

    /// <summary>Columns that make up the one input, in order: an MLflow signature's. Empty when they count by position.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>What <c>/version</c> answers: the MLflow version that wrote the model, else the model's own.</summary>
    public string? MlflowVersion { get; init; }

    /// <summary>How many times <see cref="DeploymentRoute.MaxConcurrentPerInstance"/> requests run side by side.</summary>
    public int Instances { get; init; } = 1;

    /// <summary>Threads within one run.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Rows that are run together at most; 1 runs each request alone.</summary>
    public int BatchRows { get; init; } = 1;

    /// <summary>Microseconds that a run waits for others to join it.</summary>
    public int BatchDelayMicroseconds { get; init; }

    /// <summary>As the server keeps it; <see cref="Parse"/> reads it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, GatewayJson.Default.OnnxRoute);

    public static OnnxRoute Parse(string json) => JsonSerializer.Deserialize<OnnxRoute>(json, GatewayJson.Reading) ?? throw new JsonException("null is no route");
}

/// <summary>What the gateway says of models that it was asked to load.</summary>
public sealed record OnnxAnswer
{
    /// <summary>Why they cannot be scored; null when they can.</summary>
    public string? Code { get; init; }

    /// <summary>For the deployment's error: what is wrong and what to do.</summary>
    public string? Message { get; init; }

    /// <summary>One line for each model: its name, inputs and outputs.</summary>
    public IReadOnlyList<string> Lines { get; init; } = [];
}

/// <summary>A generation that the gateway does not load any more, by its folder.</summary>
public sealed record OnnxRefusal(string Folder, string Code, string Message);
