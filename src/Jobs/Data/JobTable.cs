using System.Text.Json;
using Dapper;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Jobs.Execution;
using Zaffre.Jobs.Submission;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>Reads and conditional writes of the jobs table. Every change names the states it may start from.</summary>
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

    public JobRow? Find(WriteScope scope, ArmId job) =>
        scope.QueryFirstOrDefault<JobRow>($"SELECT {JobRow.Columns} FROM jobs WHERE key = @key", new { key = job.Key });

    public void Insert(WriteScope scope, ArmId job, string task, int priority, JobPlan plan)
    {
        scope.Execute(
            "INSERT INTO jobs (key, id, task, compute, priority, status, plan, created) VALUES (@key, @id, @task, @compute, @priority, 'Queued', @plan, @now)",
            new
            {
                key = job.Key,
                id = job.Value,
                task,
                compute = new ArmId(plan.Compute).Key,
                priority,
                plan = JsonSerializer.Serialize(plan, JobsJson.Default.JobPlan),
                now = scope.Now.ToUnixTimeMilliseconds(),
            });
        foreach (var (name, output) in plan.Outputs)
        {
            scope.Execute(
                "INSERT INTO job_outputs (job, name, type, uri, asset_key) VALUES (@job, @name, @type, @uri, @assetKey)",
                new { job = job.Key, name, type = output.Type, uri = output.Uri, assetKey = OutputAssets.KeyOf(plan.WorkspaceId, job.Name, name) });
        }
    }

    /// <summary>Moves a job on; false when it is not in a state that <paramref name="from"/> names.</summary>
    public bool Move(WriteScope scope, ArmId job, IReadOnlyList<string> from, string to) => scope.Execute(
        "UPDATE jobs SET status = @to WHERE key = @key AND status IN @from",
        new { key = job.Key, to, from }) == 1;

    public void SetStarted(WriteScope scope, ArmId job, DateTimeOffset at, IReadOnlyList<string> notes) => scope.Execute(
        "UPDATE jobs SET started = @at, notes = @notes WHERE key = @key",
        new { key = job.Key, at = at.ToUnixTimeMilliseconds(), notes = notes.Count == 0 ? null : JsonSerializer.Serialize(notes, JobsJson.Default.IReadOnlyListString) });

    public void SetStop(WriteScope scope, ArmId job, StopReason reason, string by) => scope.Execute(
        "UPDATE jobs SET stop = COALESCE(stop, @reason), stop_by = COALESCE(stop_by, @by) WHERE key = @key",
        new { key = job.Key, reason = reason.ToString(), by });

    public void SetCancelOperation(WriteScope scope, ArmId job, string operation) =>
        scope.Execute("UPDATE jobs SET cancel_operation = @operation WHERE key = @key", new { key = job.Key, operation });

    public void SetEnd(WriteScope scope, ArmId job, int? exitCode, string? errorCode, string? errorMessage) => scope.Execute(
        "UPDATE jobs SET ended = @now, exit_code = @exitCode, error_code = @errorCode, error_message = @errorMessage WHERE key = @key",
        new { key = job.Key, now = scope.Now.ToUnixTimeMilliseconds(), exitCode, errorCode, errorMessage });

    public void SetDigest(WriteScope scope, ArmId job, string output, FolderDigest digest, string? asset) => scope.Execute(
        "UPDATE job_outputs SET sha256 = @sha256, files = @files, bytes = @bytes, asset = @asset WHERE job = @key AND name = @output",
        new { key = job.Key, output, sha256 = digest.Sha256, files = digest.Files, bytes = digest.Bytes, asset });

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
