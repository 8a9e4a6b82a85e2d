using Dapper;

namespace Zaffre.Database;

internal sealed class EventLog(IDatabase database, EventSignal signal) : IEventLog
{
    public Task<IReadOnlyList<StoredEvent>> ReadAsync(long after, int limit, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<StoredEvent>>(
            connection => connection.Query<(long Sequence, long Time, string Actor, string Action, string Subject, string Digest, string Payload)>(
                    "SELECT sequence, time, actor, action, subject, digest, payload FROM events WHERE sequence > @after ORDER BY sequence LIMIT @limit",
                    new { after, limit })
                .Select(e => new StoredEvent(e.Sequence, DateTimeOffset.FromUnixTimeMilliseconds(e.Time), e.Actor, e.Action, e.Subject, e.Digest, e.Payload))
                .ToList(),
            ct);

    public Task<long> WaitAsync(long after, CancellationToken ct) => signal.WaitAsync(after, ct);
}
