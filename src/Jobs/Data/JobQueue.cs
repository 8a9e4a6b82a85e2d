using Dapper;
using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>A queued job without its plan.</summary>
internal sealed record QueuedJob(long Seq, string Key, int Slots);

/// <summary>Jobs of one experiment and rank that wait for one compute.</summary>
internal sealed record QueuedGroup(string Compute, int Rank, string Experiment);

/// <summary>Reads of the queue. Whatever its length, each costs what it returns: <c>jobs_queued</c> covers them (a test reads the query plans).</summary>
internal sealed class JobQueue(IDatabase database)
{
    internal const string NextSql =
        "SELECT seq, key, slots FROM jobs WHERE compute = @compute AND priority = @rank AND experiment = @experiment AND seq > @after AND status = 'Queued' AND due IS NULL ORDER BY seq LIMIT 16";

    internal const string GroupsSql = "SELECT DISTINCT compute, priority, experiment FROM jobs WHERE status = 'Queued' AND due IS NULL";

    internal const string TasksSql = "SELECT key, task FROM jobs WHERE status = 'Queued' AND due IS NULL";

    internal const string DueSql = "SELECT key, due FROM jobs WHERE status = 'Queued' AND due IS NOT NULL";

    /// <summary>The oldest job of a group that nobody works on; <c>Taken</c> when somebody works on all of them.</summary>
    public async Task<(QueuedJob? Job, bool Taken)> NextAsync(QueuedGroup group, Func<string, bool> isTaken, CancellationToken ct)
    {
        for (var after = 0L; ;)
        {
            var page = await database.ReadAsync(
                connection => connection.Query<(long Seq, string Key, long Slots)>(NextSql, new { compute = group.Compute, rank = group.Rank, experiment = group.Experiment, after }).AsList(), ct);
            foreach (var (seq, key, slots) in page)
            {
                if (!isTaken(key))
                {
                    return (new QueuedJob(seq, key, (int)slots), false);
                }

                after = seq;
            }

            if (page.Count < 16)
            {
                return (null, after > 0);
            }
        }
    }

    /// <summary>Everything that waits, by group.</summary>
    public Task<IReadOnlyList<QueuedGroup>> GroupsAsync(CancellationToken ct) => database.ReadAsync<IReadOnlyList<QueuedGroup>>(
        connection => [.. connection.Query<(string Compute, long Rank, string Experiment)>(GroupsSql).Select(row => new QueuedGroup(row.Compute, (int)row.Rank, row.Experiment))], ct);

    /// <summary>The queued jobs whose task has one of these names: they may have been started, and their rows not have been told.</summary>
    public Task<IReadOnlyList<ArmId>> StartedAsync(IReadOnlySet<string> tasks, CancellationToken ct) => tasks.Count == 0
        ? Task.FromResult<IReadOnlyList<ArmId>>([])
        : database.ReadAsync<IReadOnlyList<ArmId>>(
            connection => [.. connection.Query<(string Key, string Task)>(TasksSql, buffered: false).Where(row => tasks.Contains(row.Task)).Select(row => new ArmId(row.Key))], ct);

    /// <summary>The jobs that wait for their next try, and when it is due (unix milliseconds).</summary>
    public Task<IReadOnlyList<(ArmId Job, long Due)>> DueAsync(CancellationToken ct) => database.ReadAsync<IReadOnlyList<(ArmId, long)>>(
        connection => [.. connection.Query<(string Key, long Due)>(DueSql).Select(row => (new ArmId(row.Key), row.Due))], ct);
}
