using System.Globalization;
using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>What write units do with the steps of pipelines.</summary>
internal static class StepWrites
{
    private const string Open = "status NOT IN ('Completed', 'Failed', 'Canceled')";

    public static JobRow? FindByKey(WriteScope scope, string key) =>
        scope.QueryFirstOrDefault<JobRow>($"SELECT {JobRow.Columns} FROM jobs WHERE key = @key", new { key });

    /// <summary>The steps that wait for nothing from the start.</summary>
    public static IReadOnlyList<JobRow> Roots(WriteScope scope, ArmId pipeline) => scope.Query<JobRow>(
        $"SELECT {JobRow.Columns} FROM jobs WHERE parent = @key AND waits = 0 AND status = 'NotStarted' ORDER BY seq", new { key = pipeline.Key });

    /// <summary>Counts down the steps that wait for this one; returns those that wait for nothing any more.</summary>
    public static IReadOnlyList<JobRow> CountDown(WriteScope scope, ArmId step)
    {
        var counted = scope.Execute(
            "UPDATE jobs SET waits = waits - 1 WHERE key IN (SELECT job FROM job_needs WHERE needs = @key)", new { key = step.Key });
        return counted == 0 ? [] : scope.Query<JobRow>(
            $"SELECT {JobRow.Columns} FROM jobs WHERE key IN (SELECT job FROM job_needs WHERE needs = @key) AND waits = 0 AND status = 'NotStarted' ORDER BY seq",
            new { key = step.Key });
    }

    /// <summary>The steps that wait for this one.</summary>
    public static IReadOnlyList<JobRow> Waiting(WriteScope scope, ArmId step) => scope.Query<JobRow>(
        $"SELECT {JobRow.Columns} FROM jobs WHERE key IN (SELECT job FROM job_needs WHERE needs = @key) AND status = 'NotStarted' ORDER BY seq", new { key = step.Key });

    /// <summary>The steps that have not ended.</summary>
    public static IReadOnlyList<JobRow> Live(WriteScope scope, ArmId pipeline) => scope.Query<JobRow>(
        $"SELECT {JobRow.Columns} FROM jobs WHERE parent = @key AND {Open} ORDER BY seq", new { key = pipeline.Key });

    /// <summary>True while a step has not ended.</summary>
    public static bool AnyLive(WriteScope scope, ArmId pipeline) =>
        scope.QueryFirstOrDefault<int>($"SELECT 1 FROM jobs WHERE parent = @key AND {Open} LIMIT 1", new { key = pipeline.Key }) == 1;

    /// <summary>Notes why a pipeline ends its steps; the first reason stays.</summary>
    public static void SetStop(WriteScope scope, ArmId job, string reason, string by) => scope.Execute(
        "UPDATE jobs SET stop = COALESCE(stop, @reason), stop_by = COALESCE(stop_by, @by) WHERE key = @key", new { key = job.Key, reason, by });

    /// <summary>Adds a line to a pipeline's log.</summary>
    public static void AddLine(WriteScope scope, string pipelineKey, string text) => AddRaw(scope, pipelineKey, Line(scope.Now, text));

    /// <summary>Adds a line that has its time already.</summary>
    public static void AddRaw(WriteScope scope, string pipelineKey, string line) =>
        scope.Execute("INSERT INTO job_lines (job, line) VALUES (@pipelineKey, @line)", new { pipelineKey, line });

    /// <summary>A line of a pipeline's log.</summary>
    public static string Line(DateTimeOffset now, string text) =>
        $"[{now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)}] {text.ReplaceLineEndings(" ")}\n";
}
