using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
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

    /// <summary>The steps of a pipeline that have a name among <paramref name="names"/>.</summary>
    public static IReadOnlyList<JobRow> Named(WriteScope scope, string pipelineKey, IReadOnlyList<string> names) => scope.Query<JobRow>(
        $"SELECT {JobRow.Columns} FROM jobs WHERE parent = @pipelineKey AND step IN @names ORDER BY seq", new { pipelineKey, names });

    /// <summary>How many steps a pipeline has, and how many of them have not ended.</summary>
    public static (int All, int Open) Count(WriteScope scope, ArmId pipeline) => scope.QueryFirstOrDefault<(int, int)>(
        $"SELECT COUNT(*), COALESCE(SUM({Open}), 0) FROM jobs WHERE parent = @key", new { key = pipeline.Key });

    /// <summary>The step that was made last.</summary>
    public static JobRow? Last(WriteScope scope, ArmId pipeline) => scope.QueryFirstOrDefault<JobRow>(
        $"SELECT {JobRow.Columns} FROM jobs WHERE parent = @key ORDER BY seq DESC LIMIT 1", new { key = pipeline.Key });

    /// <summary>How many jobs there are under the names of a pipeline's steps, which begin with its own.</summary>
    public static int CountTree(WriteScope scope, ArmId pipeline) => scope.QueryFirstOrDefault<int>(
        "SELECT COUNT(*) FROM jobs WHERE key > @from AND key < @past", new { from = pipeline.Key + "_", past = pipeline.Key + "`" });

    /// <summary>The values that a job's outputs hold, by name.</summary>
    public static IReadOnlyList<(string Name, string Value)> Values(WriteScope scope, ArmId job) => scope.Query<(string, string)>(
        "SELECT name, value FROM job_outputs WHERE job = @key AND value IS NOT NULL ORDER BY name", new { key = job.Key });

    /// <summary>Replaces the plan of a step, and the document that answers show of it, when there is one.</summary>
    public static void SetPlan(WriteScope scope, ArmId step, JobPlan plan, JsonObject? document) => scope.Execute(
        "UPDATE jobs SET plan = @plan, document = COALESCE(@document, document) WHERE key = @key",
        new { key = step.Key, plan = JsonSerializer.Serialize(plan, JobsJson.Default.JobPlan), document = document?.ToJsonString(ZaffreJson.Options) });

    /// <summary>The properties that answers show of a step; null for a job that is none.</summary>
    public static JsonObject? Document(WriteScope scope, ArmId step) =>
        scope.QueryFirstOrDefault<string>("SELECT document FROM jobs WHERE key = @key", new { key = step.Key }) is { } text ? JsonNode.Parse(text) as JsonObject : null;

    /// <summary>An output lies elsewhere than was planned.</summary>
    public static void SetPlace(WriteScope scope, ArmId job, string output, string uri) => scope.Execute(
        "UPDATE job_outputs SET uri = @uri WHERE job = @key AND name = @output", new { key = job.Key, output, uri });

    /// <summary>Adds a line to a pipeline's log.</summary>
    public static void AddLine(WriteScope scope, string pipelineKey, string text) => AddRaw(scope, pipelineKey, Line(scope.Now, text));

    /// <summary>Adds a line that has its time already.</summary>
    public static void AddRaw(WriteScope scope, string pipelineKey, string line) =>
        scope.Execute("INSERT INTO job_lines (job, line) VALUES (@pipelineKey, @line)", new { pipelineKey, line });

    /// <summary>A line of a pipeline's log: one, whatever a step printed that it quotes, and nothing in it that moves a terminal's cursor.</summary>
    public static string Line(DateTimeOffset now, string text) =>
        $"[{now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)}] {string.Create(text.Length, text, Plain)}\n";

    private static void Plain(Span<char> line, string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            line[i] = char.IsControl(text[i]) || text[i] is '\u2028' or '\u2029' ? ' ' : text[i];
        }
    }
}
