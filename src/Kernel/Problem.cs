namespace Zaffre.Kernel;

/// <summary>What kind of failure an expected problem is; each wire protocol maps it to its own status code.</summary>
public enum ProblemKind
{
    /// <summary>The request is malformed or breaks a rule (400).</summary>
    Invalid,

    /// <summary>A known operation or member that this server has no engine for (400, code OperationNotSupported).</summary>
    Unsupported,

    /// <summary>No credential, or one that does not validate (401).</summary>
    Unauthenticated,

    /// <summary>The caller is known and may not do this (403).</summary>
    Forbidden,

    /// <summary>The resource does not exist (404).</summary>
    NotFound,

    /// <summary>The resource's present state forbids the operation (409).</summary>
    Conflict,

    /// <summary>A condition the caller sent does not hold, such as If-Match (412).</summary>
    PreconditionFailed,

    /// <summary>The body exceeds the limit (413).</summary>
    TooLarge,

    /// <summary>The store has no room (413: it will fail again, and clients send again what is answered with a 5xx).</summary>
    InsufficientStorage,

    /// <summary>The caller exceeds a rate or a queue is full (429).</summary>
    Throttled,
}

/// <summary>
/// An expected failure as a value: stable <paramref name="Code"/>, a message that says the reason and the remedy,
/// and optionally the path of what is wrong and every further problem found in the same request.
/// </summary>
public sealed record Problem(ProblemKind Kind, string Code, string Message)
{
    /// <summary>Path of the offending member (<c>properties.inputs.data.uri</c>), when there is one.</summary>
    public string? Target { get; init; }

    /// <summary>Trying the same again later may succeed, though nobody changes anything: a host that did not answer, a process that could not be made.</summary>
    public bool Transient { get; init; }

    /// <summary>Every further problem of the same request, each with its own target.</summary>
    public IReadOnlyList<Problem> Details { get; init; } = [];

    /// <summary>Several validation problems as one: the first speaks, all are listed.</summary>
    public static Problem Combine(IReadOnlyList<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        return problems.Count switch
        {
            0 => throw new ArgumentException("at least one problem is needed", nameof(problems)),
            1 => problems[0],
            _ => problems[0] with
            {
                Message = $"{problems.Count} problems: " + string.Join("; ", problems.Select(p => p.Target is null ? p.Message : $"{p.Target}: {p.Message}")),
                Target = null,
                Transient = problems.All(p => p.Transient),
                Details = problems,
            },
        };
    }
}

/// <summary>Carries a <see cref="Kernel.Problem"/> through code that cannot return one, such as a write unit that must roll back.</summary>
public sealed class ProblemException(Problem problem) : Exception(problem?.Message)
{
    /// <summary>The problem to answer with.</summary>
    public Problem Problem { get; } = problem!;
}
