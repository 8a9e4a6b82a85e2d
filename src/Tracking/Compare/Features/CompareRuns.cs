using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Compare.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/compare?runs=a,b,...</c>: 2 to 100 runs or jobs side by side, section by section; each row says whether it is the <c>same</c> in all of them.
/// <c>include=</c> names sections, <c>only=different</c> leaves out what is the same. <c>view=parallel</c> answers the columns of a parallel-coordinates plot,
/// <c>view=scatter&amp;x=&amp;y=&amp;color=</c> points.
/// </summary>
internal static class CompareRuns
{
    private const int MostCells = 200_000;
    private static readonly string[] AxisNames = ["x", "y", "color"];
    private const string ReadingJobs = "Microsoft.MachineLearningServices/workspaces/jobs/read";

    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapGet("compare", HandleAsync).Requires("workspaces/experiments/runs/read");

    private static async Task<IResult> HandleAsync(WorkspaceRef workspace, HttpContext context, RunComparison comparison, IAuthorizer authorizer, CancellationToken ct)
    {
        if (!CompareQuery.Read(context.Request.Query).TryGet(out var query, out var problem)
            || !(await comparison.ReadAsync(workspace, query, ct)).TryGet(out var runs, out problem))
        {
            return ArmResults.Problem(problem);
        }

        if (query.View.Length > 0)
        {
            return View(runs, query);
        }

        var answer = new JsonObject { ["runs"] = new JsonArray([.. runs.Runs.Select(run => (JsonNode)run.Row.Id)]) };
        Add(answer, query, "attributes", CompareSections.Attributes(runs));
        Add(answer, query, "params", CompareSections.Params(runs));
        Add(answer, query, "metrics", CompareSections.Metrics(runs));
        Add(answer, query, "tags", CompareSections.Tags(runs));
        Add(answer, query, "inputs", CompareSections.Inputs(runs));
        if (query.Include.Contains("artifacts"))
        {
            var (rows, more) = await comparison.Artifacts.OfAsync(runs, ct);
            Add(answer, query, "artifacts", rows, more);
        }

        if (query.Include.Contains("origin") && await authorizer.AllowsAsync(context.Caller(), ReadingJobs, workspace.Id, isDataAction: false, ct))
        {
            var (rows, differences) = await comparison.Origins.OfAsync(runs, ct);
            Add(answer, query, "origin", rows);
            foreach (var (name, value) in differences)
            {
                answer["origin"]![name] = value?.DeepClone();
            }
        }

        if (query.Include.Contains("columns"))
        {
            answer["columns"] = new JsonArray([.. CompareSections.Columns(runs, query).Take(MostCells / runs.Runs.Count).Select(column => (JsonNode)column.ToJson(values: true))]);
        }

        return ArmResults.Ok(answer);
    }

    private static void Add(JsonObject answer, CompareQuery query, string section, IEnumerable<CompareRow> rows, bool more = false)
    {
        if (query.Include.Contains(section))
        {
            var shown = rows.Where(row => !query.OnlyDifferent || row.State != CompareRow.Same).ToList();
            var most = MostCells / query.Runs.Count;
            answer[section] = new JsonObject
            {
                ["rows"] = new JsonArray([.. shown.Take(most).Select(row => (JsonNode)row.ToJson())]),
                ["truncated"] = more || shown.Count > most,
            };
        }
    }

    private static IResult View(ComparedRuns runs, CompareQuery query)
    {
        var columns = CompareSections.Columns(runs, query).ToList();
        var ids = runs.Runs.Select(run => (JsonNode)run.Row.Id);
        if (query.View == "parallel")
        {
            return ArmResults.Ok(new JsonObject { ["runs"] = new JsonArray([.. ids]), ["columns"] = new JsonArray([.. columns.Select(column => (JsonNode)column.ToJson(values: true))]) });
        }

        var axes = query.Axes.Select(axis => columns.Find(column => column.Key == axis)).ToList();
        var missing = query.Axes.Zip(axes, AxisNames).Where(axis => axis.Second is null && axis.First.Length > 0)
            .Select(axis => ArmErrors.Invalid($"None of the runs has '{axis.First}': name params.NAME, metrics.NAME, tags.NAME or attributes.NAME.", axis.Third)).ToList();
        return missing.Count > 0 ? ArmResults.Problem(Problem.Combine(missing)) : ArmResults.Ok(new JsonObject
        {
            ["x"] = axes[0]!.ToJson(values: false),
            ["y"] = axes[1]!.ToJson(values: false),
            ["color"] = axes[2]?.ToJson(values: false),
            ["points"] = new JsonArray([.. runs.Runs.Select((run, i) => (JsonNode)new JsonObject
            {
                ["run"] = run.Row.Id, ["name"] = run.Row.Name, ["x"] = axes[0]!.At(i), ["y"] = axes[1]!.At(i), ["color"] = axes[2]?.At(i),
            })]),
        });
    }
}

/// <summary>Reads what a comparison needs.</summary>
internal sealed class RunComparison(IDatabase database, WorkspaceKeys workspaces, ArtifactComparison artifacts, OriginComparison origins)
{
    public ArtifactComparison Artifacts => artifacts;

    public OriginComparison Origins => origins;

    public Task<Outcome<ComparedRuns>> ReadAsync(WorkspaceRef workspace, CompareQuery query, CancellationToken ct) => ComparedRuns.ReadAsync(database, workspaces, workspace, query, ct);
}
