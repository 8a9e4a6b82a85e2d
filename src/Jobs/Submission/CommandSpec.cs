namespace Zaffre.Jobs.Submission;

/// <summary>How an input reaches the task.</summary>
internal enum InputMode
{
    Mount,
    Writable,
    Download,
    Direct,

    /// <summary>The files that an MLTable stands for, read-only.</summary>
    EvalMount,

    /// <summary>The same, as a copy of the job's own.</summary>
    EvalDownload,
}

/// <summary>How an output leaves the task.</summary>
internal enum OutputMode
{
    Mount,
    Upload,
    Direct,
}

/// <summary>An input as the document says it; <paramref name="Value"/> is the literal, or the URI.</summary>
internal sealed record InputSpec(string Type, string Value, InputMode Mode)
{
    public bool IsLiteral => Type == JobTypes.Literal;
}

/// <summary>An output as the document says it.</summary>
internal sealed record OutputSpec(string Type, OutputMode Mode)
{
    /// <summary>The place asked for; the default place when null.</summary>
    public string? Uri { get; init; }

    /// <summary>True when <see cref="Uri"/> is the server's own choice, made for the pipeline's output that this is bound to.</summary>
    public bool Chosen { get; init; }

    /// <summary>The place as it was asked for of the pipeline's output that this is bound to (<see cref="PlannedOutput.Pattern"/>).</summary>
    public string? Pattern { get; init; }

    /// <summary>The asset to register when the job completes.</summary>
    public string? AssetName { get; init; }

    public string? AssetVersion { get; init; }
}

/// <summary>A command job's document, read and checked as far as that needs nothing but the document.</summary>
internal sealed record CommandSpec
{
    public required string Command { get; init; }

    public required string Environment { get; init; }

    public string? Code { get; init; }

    /// <summary>The compute as sent; <c>serverless</c> when null.</summary>
    public string? Compute { get; init; }

    public required string Experiment { get; init; }

    public string? DisplayName { get; init; }

    public required IReadOnlyDictionary<string, InputSpec> Inputs { get; init; }

    public required IReadOnlyDictionary<string, OutputSpec> Outputs { get; init; }

    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    public TimeSpan? Timeout { get; init; }

    /// <summary>Bytes of <c>/dev/shm</c> for each process; null when the job does not say.</summary>
    public long? SharedMemory { get; init; }

    /// <summary>The datastore of outputs without a place; the workspace's default when null.</summary>
    public string? Datastore { get; init; }

    /// <summary>Its place among the queued jobs of a compute, by tier and priority: higher goes first.</summary>
    public int Rank { get; init; } = QueueRank.Default;

    /// <summary>The processes of a distributed job; null for one process.</summary>
    public PlannedGang? Gang { get; init; }
}

/// <summary>The types that inputs and outputs may have, in the wire's canonical spelling.</summary>
internal static class JobTypes
{
    public const string Literal = "literal";
    public const string UriFile = "uri_file";
    public const string UriFolder = "uri_folder";

    private static readonly string[] Data = [UriFile, UriFolder, "mltable", "mlflow_model", "custom_model", "triton_model"];

    public static string? Output(string? type) => Data.FirstOrDefault(known => known.Equals(type, StringComparison.OrdinalIgnoreCase));

    public static string? Input(string? type) => Literal.Equals(type, StringComparison.OrdinalIgnoreCase) ? Literal : Output(type);

    public static string Allowed(bool literal) => string.Join(", ", literal ? Data.Prepend(Literal) : Data);

    /// <summary>True when an output of the type is one file: a uri_file, or a value.</summary>
    public static bool IsFile(string type) => type == UriFile || Pipelines.PortTypes.IsPrimitive(type);

    /// <summary>The type as answers show it: a value lies in a file.</summary>
    public static string OnWire(string type) => IsFile(type) ? UriFile : type;

    /// <summary>True when the asset to register for such an output is a model.</summary>
    public static bool IsModel(string type) => type.EndsWith("_model", StringComparison.Ordinal);
}
