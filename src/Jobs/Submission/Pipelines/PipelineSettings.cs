using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>The settings of a pipeline that reach its steps.</summary>
internal sealed record PipelineSettings
{
    /// <summary>The compute of steps that name none.</summary>
    public string? Compute { get; init; }

    /// <summary>The name of the datastore for outputs without a place.</summary>
    public string? Datastore { get; init; }

    /// <summary>Whether steps that do not need a failed one go on; Azure's documentation gives true as the default.</summary>
    public bool ContinueOnStepFailure { get; init; } = true;

    /// <summary>Whether every step runs, whatever ran before.</summary>
    public bool ForceRerun { get; init; }

    /// <summary>Reads <c>settings</c>, whose names come in snake_case and, from older clients, in camelCase.</summary>
    public static PipelineSettings Read(JsonObject properties, Findings findings)
    {
        const string path = "properties.settings";
        var plain = new JsonObject();
        foreach (var (name, value) in findings.Map(properties, "settings", "properties"))
        {
            plain[name.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant()] = value?.DeepClone();
        }

        foreach (var name in (ReadOnlySpan<string>)["on_init", "on_finalize"])
        {
            if (!string.IsNullOrEmpty(ZaffreJson.Text(plain[name.Replace("_", "", StringComparison.Ordinal)])))
            {
                findings.Unsupported($"{path}.{name}", $"{name} (a step before or after all others) is not supported.");
            }
        }

        var datastore = findings.Scalar(plain, "defaultdatastore", path);
        return new PipelineSettings
        {
            Compute = Empty(findings.Scalar(plain, "defaultcompute", path)) ?? Empty(findings.Scalar(properties, "computeId", "properties")),
            Datastore = Empty(datastore) is { } named ? named[(named.LastIndexOfAny(['/', ':']) + 1)..] : null,
            ForceRerun = Flag(plain, "force_rerun", findings) ?? false,
            ContinueOnStepFailure = Flag(plain, "continue_on_step_failure", findings) ?? true,
        };
    }

    private static bool? Flag(JsonObject plain, string name, Findings findings)
    {
        var path = $"properties.settings.{name}";
        if (Empty(findings.Scalar(plain, name.Replace("_", "", StringComparison.Ordinal), path)) is not { } text)
        {
            return null;
        }

        if (bool.TryParse(text, out var flag))
        {
            return flag;
        }

        findings.Invalid(path, $"'{text}' is neither true nor false.");
        return null;
    }

    private static string? Empty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
