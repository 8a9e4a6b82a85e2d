using Dapper;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>The lock of a command of a tree; <paramref name="Way"/> is its name without that of the tree's root.</summary>
internal sealed record StepLock(string Way, string Environment, string Compute, string Lock);

/// <summary>What environments were made of when jobs began in them.</summary>
internal sealed class LockTable(IDatabase database)
{
    /// <summary>The lock of a digest; null when there is none.</summary>
    public async Task<EnvironmentLock?> FindAsync(string digest, CancellationToken ct) => await database.ReadAsync(
        connection => connection.QueryFirstOrDefault<string>("SELECT document FROM environment_locks WHERE digest = @digest", new { digest }), ct) is { } document
        ? EnvironmentLock.Read(document)
        : null;

    /// <summary>The commands below a pipeline, in the order in which they began.</summary>
    public Task<IReadOnlyList<JobRow>> CommandsBelowAsync(ArmId root, CancellationToken ct) => database.ReadAsync<IReadOnlyList<JobRow>>(
        connection => connection.Query<JobRow>(
            "WITH RECURSIVE tree (k) AS (SELECT key FROM jobs WHERE parent = @key UNION ALL SELECT j.key FROM jobs j JOIN tree ON j.parent = tree.k) "
            + $"SELECT {JobRow.Columns} FROM jobs JOIN tree ON tree.k = jobs.key WHERE kind = 'Command' ORDER BY started, seq",
            new { key = root.Key }).AsList(),
        ct);

    /// <summary>The locks of these commands; of one that repeated another and never began, the lock that it was to have.</summary>
    public async Task<IReadOnlyList<StepLock>> BelowAsync(ArmId root, CancellationToken ct)
    {
        var found = new List<StepLock>();
        foreach (var step in await CommandsBelowAsync(root, ct))
        {
            var plan = step.ReadPlan();
            if ((step.EnvironmentLock ?? plan.EnvironmentLock) is { } digest)
            {
                found.Add(new StepLock(WayOf(root.Name, step.Name), plan.Environment, plan.Compute, digest));
            }
        }

        return found;
    }

    /// <summary>The name of a step without that of its tree's root; empty for the root itself.</summary>
    public static string WayOf(string root, string job) =>
        job.StartsWith(root + "_", StringComparison.OrdinalIgnoreCase) ? job[(root.Length + 1)..] : job.Equals(root, StringComparison.OrdinalIgnoreCase) ? "" : job;

    /// <summary>Notes the lock that a job began in.</summary>
    public static void Set(WriteScope scope, ArmId job, EnvironmentLock made)
    {
        var document = made.Text;
        var digest = EnvironmentLock.DigestOf(document);
        scope.Execute("INSERT OR IGNORE INTO environment_locks (digest, document) VALUES (@digest, @document)", new { digest, document });
        scope.Execute("UPDATE jobs SET environment_lock = @digest WHERE key = @key", new { key = job.Key, digest });
    }
}
