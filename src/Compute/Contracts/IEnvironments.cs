using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Compute;

/// <summary>How an environment was made real.</summary>
public enum EnvironmentKind
{
    /// <summary>The host's own interpreter satisfies everything.</summary>
    Host,

    /// <summary>A virtual environment built from the declared packages.</summary>
    VirtualEnvironment,
}

/// <summary>An environment that exists on this host now.</summary>
public sealed record RealEnvironment
{
    public required EnvironmentKind Kind { get; init; }

    /// <summary>Absolute path of the Python interpreter, the same in the task's view.</summary>
    public required string Interpreter { get; init; }

    /// <summary>What was chosen and why, one line each, for the head of the job's log.</summary>
    public required IReadOnlyList<string> Explanation { get; init; }

    /// <summary>Variables to set (<c>PATH</c> with <c>python</c> first, <c>PYTHONPATH</c> of the runtime hooks, the document's own variables).</summary>
    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    /// <summary>Folders that the interpreter needs in the task's view.</summary>
    public required IReadOnlyList<TaskBind> Binds { get; init; }
}

/// <summary>Makes environments real. Results are kept; thread safe.</summary>
public interface IEnvironments
{
    /// <summary>
    /// Resolves the <c>properties</c> of an environment version (<c>image</c>, <c>condaFile</c>, <c>build</c>, <c>environmentVariables</c>), or null for none declared.
    /// Order: a virtual environment already built for its content; the host interpreter when it satisfies the declared packages; a new
    /// virtual environment when a package index is reachable. The problem (<c>EnvironmentNotSatisfied</c>) names every missing package.
    /// </summary>
    Task<Outcome<RealEnvironment>> ResolveAsync(JsonObject? document, CancellationToken ct);
}
