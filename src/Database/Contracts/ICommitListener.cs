namespace Zaffre.Database;

/// <summary>Hears what units announce (<see cref="WriteScope.Announce"/>). Registered as a service; called by the one writer.</summary>
public interface ICommitListener
{
    /// <summary>
    /// A unit that announced something is committed: <paramref name="sequence"/> is its number, <paramref name="announced"/> what it said, in its order. Units come in the
    /// order of their numbers. Must be quick and must not throw: the next commit waits for it.
    /// </summary>
    void Committed(long sequence, IReadOnlyList<object> announced);
}
