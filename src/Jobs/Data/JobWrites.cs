using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>A job to insert; <paramref name="Status"/> is where it begins.</summary>
internal sealed record NewJob(ArmId Id, int Rank, string Status, JobPlan Plan)
{
    /// <summary>Set when it is a step of a pipeline.</summary>
    public NewStep? Step { get; init; }
}

/// <summary>What a step has beside what every job has: its pipeline, its name there, the steps it waits for, and the properties that answers show.</summary>
internal sealed record NewStep(ArmId Parent, string Name, IReadOnlyCollection<ArmId> Needs, JsonObject Document);

/// <summary>What write units do with the jobs table. A move names the states it may start from.</summary>
internal static class JobWrites
{
    public static JobRow? Find(WriteScope scope, ArmId job) =>
        scope.QueryFirstOrDefault<JobRow>($"SELECT {JobRow.Columns} FROM jobs WHERE key = @key", new { key = job.Key });

    public static void Insert(WriteScope scope, NewJob job)
    {
        scope.Execute(
            "INSERT INTO jobs (key, id, task, compute, priority, status, plan, created, kind, parent, step, waits, document, experiment, slots) "
            + "VALUES (@key, @id, @task, @compute, @priority, @status, @plan, @now, @kind, @parent, @step, @waits, @document, @experiment, @slots)",
            new
            {
                key = job.Id.Key,
                id = job.Id.Value,
                task = TaskName(job.Id, scope.Now),
                compute = job.Plan.Compute.Length == 0 ? "" : new ArmId(job.Plan.Compute).Key,
                priority = job.Rank,
                status = job.Status,
                plan = JsonSerializer.Serialize(job.Plan, JobsJson.Default.JobPlan),
                now = scope.Now.ToUnixTimeMilliseconds(),
                kind = JobKind.Of(job.Plan),
                parent = job.Step?.Parent.Key,
                step = job.Step?.Name,
                waits = job.Step?.Needs.Count ?? 0,
                document = job.Step?.Document.ToJsonString(ZaffreJson.Options),
                experiment = job.Plan.Experiment,
                slots = job.Plan.Slots,
            });
        foreach (var (name, output) in job.Plan.Outputs)
        {
            scope.Execute(
                "INSERT INTO job_outputs (job, name, type, uri, asset_key) VALUES (@job, @name, @type, @uri, @assetKey)",
                new { job = job.Id.Key, name, type = output.Type, uri = output.Uri, assetKey = OutputAssets.KeyOf(job.Plan.WorkspaceId, job.Id.Name, name) });
        }

        foreach (var needs in job.Step?.Needs ?? [])
        {
            scope.Execute("INSERT INTO job_needs (needs, job) VALUES (@needs, @job)", new { needs = needs.Key, job = job.Id.Key });
        }
    }

    /// <summary>Unique in the data directory, and another one for a job that is made again under a name that was deleted.</summary>
    private static string TaskName(ArmId id, DateTimeOffset now)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{id.Key} {now.UtcTicks}")));
        return $"{(id.Name.Length > 200 ? id.Name[..200] : id.Name)}.{digest[..8]}";
    }

    /// <summary>Moves a job on; false when it is not in a state that <paramref name="from"/> names.</summary>
    public static bool Move(WriteScope scope, ArmId job, IReadOnlyList<string> from, string to) => scope.Execute(
        "UPDATE jobs SET status = @to WHERE key = @key AND status IN @from",
        new { key = job.Key, to, from }) == 1;

    /// <summary>Puts a job that has not begun back into the queue, for a try that is due later.</summary>
    public static bool Retry(WriteScope scope, ArmId job, DateTimeOffset due) => scope.Execute(
        "UPDATE jobs SET status = 'Queued', attempt = attempt + 1, due = @due WHERE key = @key AND started IS NULL AND status IN ('Queued', 'Preparing')",
        new { key = job.Key, due = due.ToUnixTimeMilliseconds() }) == 1;

    /// <summary>The next try is due.</summary>
    public static bool SetDue(WriteScope scope, ArmId job) =>
        scope.Execute("UPDATE jobs SET due = NULL WHERE key = @key AND status = 'Queued' AND due IS NOT NULL", new { key = job.Key }) == 1;

    public static void SetStarted(WriteScope scope, ArmId job, DateTimeOffset at, IReadOnlyList<string> notes) => scope.Execute(
        "UPDATE jobs SET started = @at, notes = @notes WHERE key = @key",
        new { key = job.Key, at = at.ToUnixTimeMilliseconds(), notes = List(notes) });

    public static void SetWarnings(WriteScope scope, ArmId job, IReadOnlyList<string> warnings) =>
        scope.Execute("UPDATE jobs SET warnings = @warnings WHERE key = @key", new { key = job.Key, warnings = List(warnings) });

    private static string? List(IReadOnlyList<string> lines) => lines.Count == 0 ? null : JsonSerializer.Serialize(lines, JobsJson.Default.IReadOnlyListString);

    public static void SetStop(WriteScope scope, ArmId job, StopReason reason, string by) => scope.Execute(
        "UPDATE jobs SET stop = COALESCE(stop, @reason), stop_by = COALESCE(stop_by, @by) WHERE key = @key",
        new { key = job.Key, reason = reason.ToString(), by });

    public static void SetCancelOperation(WriteScope scope, ArmId job, string operation) =>
        scope.Execute("UPDATE jobs SET cancel_operation = @operation WHERE key = @key", new { key = job.Key, operation });

    public static void SetEnd(WriteScope scope, ArmId job, int? exitCode, string? errorCode, string? errorMessage) => scope.Execute(
        "UPDATE jobs SET ended = @now, exit_code = @exitCode, error_code = @errorCode, error_message = @errorMessage WHERE key = @key",
        new { key = job.Key, now = scope.Now.ToUnixTimeMilliseconds(), exitCode, errorCode, errorMessage });

    /// <summary>What lies in an output, the asset made of it, and the value that it holds.</summary>
    public static void SetDigest(WriteScope scope, ArmId job, string output, FolderDigest digest, (string? Asset, string? Value) made) => scope.Execute(
        "UPDATE job_outputs SET sha256 = @sha256, files = @files, bytes = @bytes, asset = @asset, value = @value WHERE job = @key AND name = @output",
        new { key = job.Key, output, sha256 = digest.Sha256, files = digest.Files, bytes = digest.Bytes, asset = made.Asset, value = made.Value });
}
