using System.Diagnostics.CodeAnalysis;

namespace Zaffre.Kernel;

/// <summary>The result of an operation whose failure is expected: a value, or a <see cref="Kernel.Problem"/>.</summary>
public readonly struct Outcome<T>
{
    private readonly T? value;

    private Outcome(T? value, Problem? problem) => (this.value, Problem) = (value, problem);

    /// <summary>The problem, or null on success.</summary>
    public Problem? Problem { get; }

    /// <summary>True when there is a value.</summary>
    [MemberNotNullWhen(false, nameof(Problem))]
    public bool Succeeded => Problem is null;

    /// <summary>The value; throws <see cref="ProblemException"/> when there is none.</summary>
    public T Value => Problem is null ? value! : throw new ProblemException(Problem);

    /// <summary>Either the value or the problem, without throwing.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T found, [NotNullWhen(false)] out Problem? problem)
    {
        (found, problem) = (value, Problem);
        return problem is null;
    }

    /// <summary>Applies <paramref name="map"/> to the value, or passes the problem on.</summary>
    public Outcome<TNext> Then<TNext>(Func<T, Outcome<TNext>> map) => Problem is null ? map(value!) : Problem;

#pragma warning disable CA2225 // Implicit conversions are the only way outcomes are made; named twins would be noise.
    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Problem problem) => new(default, problem);
#pragma warning restore CA2225
}
