using Dapper;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Jobs.Execution;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>Reads of the jobs table; writes are <see cref="JobWrites"/>.</summary>
internal sealed class JobTable(IDatabase database, Claims claims) : IScopedDeletion
{
    public Task<JobRow?> FindAsync(ArmId job, CancellationToken ct) => database.ReadAsync(
        connection => connection.QueryFirstOrDefault<JobRow>($"SELECT {JobRow.Columns} FROM jobs WHERE key = @key", new { key = job.Key }),
        ct);

    public Task<IReadOnlyList<OutputRow>> OutputsAsync(ArmId job, CancellationToken ct) => database.ReadAsync<IReadOnlyList<OutputRow>>(
        connection => connection.Query<OutputRow>($"SELECT {OutputRow.Columns} FROM job_outputs WHERE job = @key ORDER BY name", new { key = job.Key }).AsList(),
        ct);

    /// <summary>The output behind an asset key; see <see cref="OutputAssets"/>.</summary>
    public Task<OutputRow?> FindOutputAsync(string assetKey, CancellationToken ct) => database.ReadAsync(
        connection => connection.QueryFirstOrDefault<OutputRow>($"SELECT {OutputRow.Columns} FROM job_outputs WHERE asset_key = @assetKey", new { assetKey }),
        ct);

    /// <summary>The next queued jobs of a compute: by priority, then in the order of submission.</summary>
    public Task<IReadOnlyList<JobRow>> QueuedAsync(string compute, int limit, CancellationToken ct) => database.ReadAsync<IReadOnlyList<JobRow>>(
        connection => connection.Query<JobRow>(
            $"SELECT {JobRow.Columns} FROM jobs WHERE compute = @compute AND status = 'Queued' ORDER BY priority DESC, seq LIMIT @limit",
            new { compute, limit }).AsList(),
        ct);

    /// <summary>The last jobs that ended, newest first.</summary>
    public Task<IReadOnlyList<JobRow>> EndedAsync(int limit, CancellationToken ct) => database.ReadAsync<IReadOnlyList<JobRow>>(
        connection => connection.Query<JobRow>($"SELECT {JobRow.Columns} FROM jobs WHERE status IN ('Completed', 'Failed', 'Canceled') ORDER BY seq DESC LIMIT @limit", new { limit }).AsList(),
        ct);

    /// <summary>Every job that has not ended.</summary>
    public Task<IReadOnlyList<JobRow>> LiveAsync(CancellationToken ct) => database.ReadAsync<IReadOnlyList<JobRow>>(
        connection => connection.Query<JobRow>($"SELECT {JobRow.Columns} FROM jobs WHERE status NOT IN ('Completed', 'Failed', 'Canceled') ORDER BY seq").AsList(),
        ct);

    /// <inheritdoc/>
    public void Delete(WriteScope write, ArmId scope)
    {
        // '0' follows '/' in ordinal order: the range holds every key below this one.
        var range = new { key = scope.Key, below = scope.Key + "/", past = scope.Key + "0" };
        write.Execute("DELETE FROM job_outputs WHERE job = @key OR (job > @below AND job < @past)", range);
        write.Execute("DELETE FROM jobs WHERE key = @key OR (key > @below AND key < @past)", range);
        write.OnCommitted(() => claims.AskStopBelow(scope, StopReason.Removed));
    }
}
