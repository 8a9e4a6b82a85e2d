using Zaffre.Database;
using Zaffre.Identity.Data;

namespace Zaffre.Identity.Access;

/// <summary>
/// Keeps the present <see cref="AccessSnapshot"/> in memory, so that a request costs no query. Whoever changes one of its
/// tables calls <see cref="Changed"/> in the same unit; the next request after the commit reads afresh. The tokens of jobs, which come and go with every job and
/// are as many as jobs wait, are no part of it: a job's request asks for its own.
/// </summary>
internal sealed class AccessDirectory(IDatabase database)
{
    private readonly Lock gate = new();
    private AccessSnapshot? current;
    private Task<AccessSnapshot>? loading;
    private long generation;
    private Action forgotten = () => { };

    /// <summary>Called after a commit, when the next reader will see what it changed. Register at start.</summary>
    public void OnForgotten(Action listener) => forgotten += listener;

    public ValueTask<AccessSnapshot> GetAsync(CancellationToken ct) =>
        Volatile.Read(ref current) is { } snapshot ? new(snapshot) : new(LoadAsync().WaitAsync(ct));

    /// <summary>Whether that token is the live one of the job.</summary>
    public async Task<bool> IsLiveAsync(string jobKey, string tokenId, CancellationToken ct) =>
        string.Equals(await database.ReadAsync(connection => JobTokenRows.Find(connection, jobKey), ct), tokenId, StringComparison.Ordinal);

    public void Changed(WriteScope scope) => scope.OnCommitted(Forget);

    private void Forget()
    {
        lock (gate)
        {
            generation++;
            current = null;
            loading = null;
        }

        forgotten();
    }

    private Task<AccessSnapshot> LoadAsync()
    {
        lock (gate)
        {
            loading = loading is { IsCompleted: false } ? loading : LoadAsync(generation);
            return loading;
        }
    }

    private async Task<AccessSnapshot> LoadAsync(long asked)
    {
        var snapshot = await database.ReadAsync(
            connection => new AccessSnapshot(PrincipalRows.All(connection), AssignmentRows.All(connection)),
            CancellationToken.None);
        lock (gate)
        {
            current = asked == generation ? snapshot : current;
        }

        return snapshot;
    }
}
