namespace Zaffre.Database;

/// <summary>A change to record. <paramref name="Action"/> is the role action or a state change (<c>workspaces/jobs/write</c>,
/// <c>workspaces/jobs/completed</c>); <paramref name="Subject"/> is the resource id; <paramref name="Payload"/> is JSON without secrets.</summary>
public sealed record NewEvent(string Actor, string Action, string Subject, string Payload = "{}");

/// <summary>An event as recorded; <paramref name="Sequence"/> is in commit order and has no gaps that are filled later.</summary>
public sealed record StoredEvent(long Sequence, DateTimeOffset Time, string Actor, string Action, string Subject, string Digest, string Payload);

/// <summary>The one log of every change of a resource or its state. Readers keep a cursor. Thread safe.</summary>
public interface IEventLog
{
    /// <summary>Events after <paramref name="after"/>, oldest first, at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<StoredEvent>> ReadAsync(long after, int limit, CancellationToken ct);

    /// <summary>Completes as soon as an event after <paramref name="after"/> is committed; returns the newest sequence.</summary>
    Task<long> WaitAsync(long after, CancellationToken ct);
}
