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
    internal const string ActiveSql = $"SELECT {JobRow.Columns} FROM jobs WHERE status IN ('Preparing', 'Running', 'Finalizing', 'CancelRequested') ORDER BY seq";

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

    /// <summary>The last jobs that ended, newest first.</summary>
    public Task<IReadOnlyList<JobRow>> EndedAsync(int limit, CancellationToken ct) => database.ReadAsync<IReadOnlyList<JobRow>>(
        connection => connection.Query<JobRow>($"SELECT {JobRow.Columns} FROM jobs WHERE status IN ('Completed', 'Failed', 'Canceled') ORDER BY seq DESC LIMIT @limit", new { limit }).AsList(),
        ct);

    /// <summary>Every job that has begun and not ended: pipelines, and jobs that have or had a place.</summary>
    public Task<IReadOnlyList<JobRow>> ActiveAsync(CancellationToken ct) => database.ReadAsync<IReadOnlyList<JobRow>>(
        connection => connection.Query<JobRow>(ActiveSql).AsList(),
        ct);

    /// <summary>The steps of a pipeline, in the order of its compilation.</summary>
    public Task<IReadOnlyList<JobRow>> StepsAsync(ArmId pipeline, CancellationToken ct) => database.ReadAsync<IReadOnlyList<JobRow>>(
        connection => connection.Query<JobRow>($"SELECT {JobRow.Columns} FROM jobs WHERE parent = @key ORDER BY seq", new { key = pipeline.Key }).AsList(),
        ct);

    /// <summary>The properties that answers show of a step; null for any other job.</summary>
    public Task<string?> StepDocumentAsync(ArmId step, CancellationToken ct) => database.ReadAsync(
        connection => connection.QueryFirstOrDefault<string>("SELECT document FROM jobs WHERE key = @key", new { key = step.Key }),
        ct);

    /// <summary>The lines of a pipeline's log after <paramref name="after"/>.</summary>
    public Task<IReadOnlyList<(long Seq, string Line)>> LinesAsync(ArmId pipeline, long after, CancellationToken ct) => database.ReadAsync<IReadOnlyList<(long, string)>>(
        connection => connection.Query<(long, string)>("SELECT seq, line FROM job_lines WHERE job = @key AND seq > @after ORDER BY seq", new { key = pipeline.Key, after }).AsList(),
        ct);

    /// <summary>The names of jobs, in lower case, that begin with <paramref name="prefix"/>.</summary>
    public async Task<IReadOnlySet<string>> NamesAsync(WorkspaceRef workspace, string prefix, CancellationToken ct)
    {
        var from = workspace.Child("jobs", prefix).Key;
        var keys = await database.ReadAsync(
            connection => connection.Query<string>("SELECT key FROM jobs WHERE key >= @from AND key < @past", new { from, past = from + "\uffff" }).AsList(),
            ct);
        return keys.Select(key => new ArmId(key).Name).ToHashSet(StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public void Delete(WriteScope write, ArmId scope)
    {
        // '0' follows '/' in ordinal order: the range holds every key below this one.
        var range = new { key = scope.Key, below = scope.Key + "/", past = scope.Key + "0" };
        write.Execute("DELETE FROM job_needs WHERE needs = @key OR job = @key OR (needs > @below AND needs < @past)", range);
        write.Execute("DELETE FROM job_lines WHERE job = @key OR (job > @below AND job < @past)", range);
        write.Execute("DELETE FROM job_usage WHERE job = @key OR (job > @below AND job < @past)", range);
        write.Execute("DELETE FROM job_outputs WHERE job = @key OR (job > @below AND job < @past)", range);
        write.Execute("DELETE FROM job_decisions WHERE job = @key OR (job > @below AND job < @past)", range);
        write.Execute("DELETE FROM job_moves WHERE root = @key OR (root > @below AND root < @past)", range);
        write.Execute("DELETE FROM jobs WHERE key = @key OR (key > @below AND key < @past)", range);
        write.OnCommitted(() => claims.AskStopBelow(scope, StopReason.Removed));
    }
}
