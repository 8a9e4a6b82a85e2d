using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>What a step's input is: a literal, or data at a URI.</summary>
internal sealed record Bound(string Type, string Value)
{
    /// <summary>An optional input without a value.</summary>
    public static readonly Bound Absent = new("", "");

    /// <summary>Wrong, and reported where it is wrong.</summary>
    public static readonly Bound Broken = new("", "");

    /// <summary>The wire's name of the mode, when one is asked for.</summary>
    public string? Mode { get; init; }

    /// <summary>Where the value will come from, when it is known only later; then <see cref="Value"/> is empty.</summary>
    public LateSource? From { get; init; }

    public bool IsLiteral => Type == JobTypes.Literal;

    /// <summary>False for <see cref="Absent"/> and <see cref="Broken"/>.</summary>
    public bool HasValue => Type.Length > 0;
}

/// <summary>An output of a job, or an input of a pipeline or an iteration, whose value is known only later.</summary>
internal sealed record LateSource(string Job, string Name, bool OfInput);

/// <summary>A step as it will be stored.</summary>
internal sealed record PlannedStep(ArmId Id, ArmId Parent, string Name)
{
    public required JobPlan Plan { get; init; }

    public int Rank { get; init; } = QueueRank.Default;

    /// <summary>The properties that answers show.</summary>
    public required JsonObject Document { get; init; }

    public required IReadOnlyCollection<ArmId> Needs { get; init; }
}

/// <summary>One pipeline being compiled: what all of its levels share. Not thread safe.</summary>
internal sealed class Compilation(Planning planning, PipelineSettings settings, string experiment, IReadOnlySet<string> taken)
{
    /// <summary>Most steps of one pipeline, all levels together.</summary>
    public const int MostSteps = 5000;

    /// <summary>Most characters that the stored steps of one pipeline take: a component of a megabyte may be named by thousands of steps.</summary>
    public const long MostCharacters = 64 << 20;

    private const int LongestName = 255;

    private readonly Dictionary<string, Component?> components = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> names = new(taken, StringComparer.OrdinalIgnoreCase);
    private int nodes;
    private long characters;
    private bool toldTooMany;
    private int templates;

    public Planning Planning => planning;

    public PipelineSettings Settings => settings;

    public string Experiment => experiment;

    public Findings Findings => planning.Findings;

    /// <summary>Every step, a nested pipeline before its own.</summary>
    public List<PlannedStep> Steps { get; } = [];

    /// <summary>Adds a step; one that belongs at <paramref name="at"/> goes before those that came after it.</summary>
    public void Add(PlannedStep step, int? at = null)
    {
        Steps.Insert(at ?? Steps.Count, step);
        characters += step.Document.ToJsonString(ZaffreJson.Options).Length;
    }

    /// <summary>The component that a reference names, or null when there is none (reported).</summary>
    public async Task<Component?> ComponentAsync(string reference, string path, CancellationToken ct)
    {
        if (components.TryGetValue(reference, out var known))
        {
            return known;
        }

        if (!(await planning.Known.AssetAsync(planning.Workspace, AssetType.Component, reference, ct)).TryGet(out var version, out var problem))
        {
            Findings.Add(path, problem);
            return null;
        }

        var component = version.Properties.Object("componentSpec") is { } spec
            ? ComponentReader.Read(version.Id.Value, spec, Findings, $"{path}.componentSpec")
            : null;
        components[reference] = component;
        return component;
    }

    /// <summary>A name for a step's job that no other job has: the pipeline's name and the step's.</summary>
    public ArmId NameFor(ArmId pipeline, string step)
    {
        var wanted = $"{pipeline.Name}_{step}";
        if (wanted.Length > LongestName - 8 && Tokens.Any(token => wanted.Contains(token, StringComparison.Ordinal)))
        {
            Findings.Invalid("properties.jobs", $"the names of the pipeline, its loops and their steps make a name of more than {LongestName - 8} characters together ({wanted[..80]}...); shorten them.");
            wanted = wanted[..(LongestName - 8)];
        }

        if (wanted.Length > LongestName - 8)
        {
            wanted = $"{wanted[..(LongestName - 20)]}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(wanted)))[..8]}";
        }

        var name = wanted;
        for (var i = 2; !names.Add(name); i++)
        {
            name = $"{wanted}_{i}";
        }

        return planning.Workspace.Child("jobs", name);
    }

    /// <summary>What stands for the number of the iteration in the loops being compiled, the outermost first.</summary>
    public Stack<string> Tokens { get; } = new();

    /// <summary>Takes the steps from <paramref name="at"/> on out of the pipeline: they are the template of a loop.</summary>
    public IReadOnlyList<PlannedStep> TakeTemplate(int at)
    {
        var template = Steps[at..];
        Steps.RemoveRange(at, template.Count);
        templates += template.Count;
        return template;
    }

    /// <summary>
    /// Takes up one more node; false, and a finding, once there are too many. Nodes count whether or not they can become steps: what is wrong
    /// with them must not let a tree of components grow without bound.
    /// </summary>
    public bool HasRoom(string path)
    {
        if (++nodes <= MostSteps && characters <= MostCharacters)
        {
            return true;
        }

        if (!toldTooMany)
        {
            Findings.InvalidAboveAll(path, nodes > MostSteps
                ? $"the pipeline has more than {MostSteps} steps, those of nested pipelines included."
                : $"the steps of the pipeline take more than {MostCharacters} characters: commands, variables and values of all steps together.");
            toldTooMany = true;
        }

        return false;
    }
}
