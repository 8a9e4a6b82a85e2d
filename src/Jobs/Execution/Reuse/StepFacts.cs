using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Zaffre.Jobs.Submission;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>Everything that a step can see, by content: two steps with the same facts have the same outputs.</summary>
internal sealed record StepFacts
{
    public required string Workspace { get; init; }

    public required string Command { get; init; }

    public required IReadOnlyDictionary<string, InputFact> Inputs { get; init; }

    public required IReadOnlyDictionary<string, OutputFact> Outputs { get; init; }

    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    /// <summary>Distribution and instances, as text; null for one process.</summary>
    public string? Gang { get; init; }

    public CodeFact? Code { get; init; }

    /// <summary><c>image</c>, <c>condaFile</c>, <c>build</c>: what an environment is made of.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>The digest by which runs are found that saw the same; 64 lower-case hex digits.</summary>
    [JsonIgnore]
    public string Key
    {
        get
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            Add(hash, "1", Workspace, Command, Gang, Code?.Digest);
            foreach (var (name, input) in Ordered(Inputs))
            {
                Add(hash, "in", name, input.Type, input.Mode, input.Value, input.Digest);
            }

            foreach (var (name, output) in Ordered(Outputs))
            {
                Add(hash, "out", name, output.Type, output.Mode, output.Place);
            }

            foreach (var (name, value) in Ordered(Variables))
            {
                Add(hash, "var", name, value);
            }

            foreach (var (name, value) in Ordered(Environment))
            {
                Add(hash, "env", name, value);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }

    private static IEnumerable<KeyValuePair<string, T>> Ordered<T>(IReadOnlyDictionary<string, T> map) => map.OrderBy(pair => pair.Key, StringComparer.Ordinal);

    /// <summary>Each part with its length before it, so that no two lists of parts read the same.</summary>
    private static void Add(IncrementalHash hash, params ReadOnlySpan<string?> parts)
    {
        foreach (var part in parts)
        {
            var bytes = Encoding.UTF8.GetBytes(part ?? "");
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{(part is null ? -1 : bytes.Length)}:")));
            hash.AppendData(bytes);
        }
    }
}

/// <summary>An input: a literal's value, or the digest of the data. <paramref name="Type"/> and <paramref name="Mode"/> as plans have them.</summary>
internal sealed record InputFact(string Type, string Mode)
{
    /// <summary>The literal; for data that the step reads itself, its URI.</summary>
    public string? Value { get; init; }

    public string? Digest { get; init; }

    /// <summary>Where the data lies; no part of the key.</summary>
    public BlobAddress? At { get; init; }
}

/// <summary>An output; <paramref name="Place"/> is set when that place was asked for, with <c>${{name}}</c> where each run has its own.</summary>
internal sealed record OutputFact(string Type, string Mode, string? Place);

/// <summary>Code by content; where it lies is no part of the key.</summary>
internal sealed record CodeFact(string? Digest, BlobAddress At);

/// <summary>The facts of a step as far as they are known: the places still to be digested, and what cannot be known at all.</summary>
internal sealed record KnownFacts(StepFacts Facts, IReadOnlyList<BlobAddress> Missing, string? Unseen)
{
    /// <summary>Reads the facts off a plan; <paramref name="digestOf"/> answers null for a place whose content is not known.</summary>
    public static KnownFacts Of(JobPlan plan, Func<BlobAddress, FolderDigest?> digestOf)
    {
        var missing = new List<BlobAddress>();
        string? unseen = null;
        string? Digest(BlobAddress place, string what)
        {
            var found = digestOf(place);
            if (found is null)
            {
                missing.Add(place);
            }
            else if (found.Files == 0)
            {
                unseen ??= $"nothing lies at {what}";
            }

            return found?.Sha256;
        }

        var inputs = new Dictionary<string, InputFact>(StringComparer.Ordinal);
        foreach (var (name, input) in plan.Inputs)
        {
            var fact = new InputFact(input.Type, input.Mode.ToString()) { Value = input.Direct };
            if (input.Type != JobTypes.Literal)
            {
                unseen ??= input.Mode == InputMode.Writable ? $"it may write to its input '{name}'" : input.IsEvaluated ? $"its input '{name}' is evaluated before it runs" : input.Blob is null ? $"its input '{name}' lies outside this server" : null;
                fact = input.Blob is { } blob ? fact with { At = blob, Digest = Digest(blob, $"its input '{name}'") } : fact with { Value = input.Value };
            }

            inputs[name] = fact;
        }

        var facts = new StepFacts
        {
            Workspace = plan.WorkspaceId,
            Command = plan.Command,
            Inputs = inputs,
            Outputs = plan.Outputs.ToDictionary(pair => pair.Key, pair => new OutputFact(pair.Value.Type, pair.Value.Mode.ToString(), pair.Value.Asked ? pair.Value.Pattern ?? pair.Value.Uri : null), StringComparer.Ordinal),
            Variables = plan.Variables,
            Gang = plan.Gang is null ? null : JsonSerializer.Serialize(plan.Gang, JobsJson.Default.PlannedGang),
            Code = plan.Code is { } code ? new CodeFact(Digest(code, "its code"), code) : null,
            Environment = EnvironmentOf(plan),
        };
        return new KnownFacts(facts, missing, unseen);
    }

    private static Dictionary<string, string> EnvironmentOf(JobPlan plan)
    {
        var content = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in (string[])["image", "condaFile", "build", "environmentVariables"])
        {
            if (plan.EnvironmentDocument[name] is { } value)
            {
                content[name] = value is System.Text.Json.Nodes.JsonValue ? Kernel.ZaffreJson.Text(value)! : value.ToJsonString();
            }
        }

        return content;
    }
}
