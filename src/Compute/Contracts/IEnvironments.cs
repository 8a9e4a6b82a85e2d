using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Compute;

/// <summary>How an environment was made real.</summary>
public enum EnvironmentKind
{
    /// <summary>The host's own interpreter satisfies everything.</summary>
    Host,

    /// <summary>A virtual environment built from the declared packages.</summary>
    VirtualEnvironment,

    /// <summary>A container of its image.</summary>
    Container,
}

/// <summary>What is to be made real, and for whom.</summary>
public sealed record EnvironmentRequest
{
    /// <summary>The <c>properties</c> of an environment version (<c>image</c>, <c>condaFile</c>, <c>build</c>, <c>environmentVariables</c>), or null for none declared.</summary>
    public JsonObject? Document { get; init; }

    /// <summary>The workspace whose build contexts may be read; null where there is none to build for.</summary>
    public WorkspaceRef? Workspace { get; init; }

    /// <summary>Name of the compute that the task is for, which decides on containers; null: on the host itself.</summary>
    public string? Compute { get; init; }

    /// <summary>What the environment is to be made of exactly; null for whatever the document leads to now.</summary>
    public EnvironmentLock? Lock { get; init; }

    /// <summary>Told the key of a build that is waited for, before the waiting.</summary>
    public Action<string>? Building { get; init; }
}

/// <summary>
/// The Python of an environment, as tasks put a private one over it. <paramref name="Version"/> is like <c>3.11</c>, <paramref name="Executable"/> the
/// interpreter outside of any virtual environment, <paramref name="Packages"/> the virtual environment's packages, null when they are the interpreter's own.
/// </summary>
public sealed record PythonBase(string Version, string Executable, string? Packages);

/// <summary>An environment that exists on this host now.</summary>
public sealed record RealEnvironment
{
    public required EnvironmentKind Kind { get; init; }

    /// <summary>Absolute path of the Python interpreter, the same in the task's view.</summary>
    public required string Interpreter { get; init; }

    /// <summary>The shell of the task's view.</summary>
    public string Shell { get; init; } = File.Exists("/bin/bash") ? "/bin/bash" : "/bin/sh";

    /// <summary>What was chosen and why, one line each, for the head of the job's log.</summary>
    public required IReadOnlyList<string> Explanation { get; init; }

    /// <summary>Variables to set (<c>PATH</c> with <c>python</c> first, <c>PYTHONPATH</c> of the runtime hooks, the document's own variables).</summary>
    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    /// <summary>What a task's own Python is put over; null when there is no Python.</summary>
    public PythonBase? Python { get; init; }

    /// <summary>What it is made of; null when that is not known.</summary>
    public EnvironmentLock? Lock { get; init; }

    /// <summary>Folders that the interpreter needs in the task's view.</summary>
    public required IReadOnlyList<TaskBind> Binds { get; init; }
}

/// <summary>Makes environments real. Results are kept; thread safe.</summary>
public interface IEnvironments
{
    /// <summary>
    /// Order: a container where the operator wants them for the compute; a virtual environment already built for its content; the host interpreter when it satisfies the declared packages; a new
    /// virtual environment when a package index is reachable. The problem (<c>EnvironmentNotSatisfied</c>) names every missing package. With a lock: what the order leads to when
    /// it is made of the same, else a virtual environment of the very versions; the problem names what is wanted and what was found.
    /// </summary>
    Task<Outcome<RealEnvironment>> ResolveAsync(EnvironmentRequest request, CancellationToken ct);

    /// <summary>Why an environment can never be made real on that compute, as the end of a sentence about it; null when trying may succeed.</summary>
    string? WhyNever(JsonObject document, string? compute);

    /// <summary>What a build said so far or at last, or null when there is none of that key.</summary>
    string? ReadBuildLog(string key);
}
