using System.Text.Json;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Jobs.Submission;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>What write units do with the jobs table. A move names the states it may start from.</summary>
internal static class JobWrites
{
    public static JobRow? Find(WriteScope scope, ArmId job) =>
        scope.QueryFirstOrDefault<JobRow>($"SELECT {JobRow.Columns} FROM jobs WHERE key = @key", new { key = job.Key });

    public static void Insert(WriteScope scope, ArmId job, string task, int priority, JobPlan plan)
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
    public static bool Move(WriteScope scope, ArmId job, IReadOnlyList<string> from, string to) => scope.Execute(
        "UPDATE jobs SET status = @to WHERE key = @key AND status IN @from",
        new { key = job.Key, to, from }) == 1;

    public static void SetStarted(WriteScope scope, ArmId job, DateTimeOffset at, IReadOnlyList<string> notes) => scope.Execute(
        "UPDATE jobs SET started = @at, notes = @notes WHERE key = @key",
        new { key = job.Key, at = at.ToUnixTimeMilliseconds(), notes = notes.Count == 0 ? null : JsonSerializer.Serialize(notes, JobsJson.Default.IReadOnlyListString) });

    public static void SetStop(WriteScope scope, ArmId job, StopReason reason, string by) => scope.Execute(
        "UPDATE jobs SET stop = COALESCE(stop, @reason), stop_by = COALESCE(stop_by, @by) WHERE key = @key",
        new { key = job.Key, reason = reason.ToString(), by });

    public static void SetCancelOperation(WriteScope scope, ArmId job, string operation) =>
        scope.Execute("UPDATE jobs SET cancel_operation = @operation WHERE key = @key", new { key = job.Key, operation });

    public static void SetEnd(WriteScope scope, ArmId job, int? exitCode, string? errorCode, string? errorMessage) => scope.Execute(
        "UPDATE jobs SET ended = @now, exit_code = @exitCode, error_code = @errorCode, error_message = @errorMessage WHERE key = @key",
        new { key = job.Key, now = scope.Now.ToUnixTimeMilliseconds(), exitCode, errorCode, errorMessage });

    public static void SetDigest(WriteScope scope, ArmId job, string output, FolderDigest digest, string? asset) => scope.Execute(
        "UPDATE job_outputs SET sha256 = @sha256, files = @files, bytes = @bytes, asset = @asset WHERE job = @key AND name = @output",
        new { key = job.Key, output, sha256 = digest.Sha256, files = digest.Files, bytes = digest.Bytes, asset });
}
