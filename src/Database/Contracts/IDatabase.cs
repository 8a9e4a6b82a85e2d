using System.Data.Common;

namespace Zaffre.Database;

/// <summary>
/// The one database of a server. Reads run side by side on pooled connections, each seeing one snapshot;
/// writes queue to a single writer and share commits. Thread safe.
/// </summary>
public interface IDatabase
{
    /// <summary>Runs <paramref name="query"/> on a read connection inside one read snapshot.</summary>
    Task<T> ReadAsync<T>(Func<DbConnection, T> query, CancellationToken ct);

    /// <summary>
    /// Queues <paramref name="unit"/> and completes after the commit that holds it is durable. The unit runs in its own
    /// savepoint: when it throws, its writes and events are undone, neighbours in the same commit are not, and the
    /// exception reaches the caller. <paramref name="ct"/> counts only until the unit is queued. Units must be short
    /// (no I/O but SQL) and must not await.
    /// </summary>
    Task<T> WriteAsync<T>(Func<WriteScope, T> unit, CancellationToken ct);
}

/// <summary>Conveniences over <see cref="IDatabase"/>.</summary>
public static class DatabaseExtensions
{
    /// <summary>A write unit without a result; see <see cref="IDatabase.WriteAsync{T}"/>.</summary>
    public static Task WriteAsync(this IDatabase database, Action<WriteScope> unit, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(unit);
        return database.WriteAsync(
            scope =>
            {
                unit(scope);
                return true;
            },
            ct);
    }
}
