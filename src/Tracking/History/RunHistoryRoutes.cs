using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>The run-history data plane (<c>/history/v1.0/.../workspaces/{name}</c>) as far as the SDKs call it.</summary>
internal static class RunHistoryRoutes
{
    private const int MostLogs = 1000;
    private const int ChildrenOnPage = 100;
    private const int DeepestTree = 32;
    private const string Reading = "workspaces/experiments/runs/read";
    private static readonly string[] LogFolders = ["user_logs", "logs/azureml"];
    private static readonly TimeSpan LogLife = TimeSpan.FromHours(12);

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapWorkspace("/history/v1.0");
        group.MapGet("/runs/{id}", (RequestDelegate)(context => RunAsync(context, RunDocumentAsync))).Requires(Reading);
        group.MapGet("/runs/{id}/details", (RequestDelegate)(context => RunAsync(context, DetailsAsync))).Requires(Reading);
        group.MapGet("/runs/{id}/children", (RequestDelegate)(context => RunAsync(context, ChildrenAsync))).Requires(Reading);
        group.MapGet("/runs/{id}/serviceinstances/{node}", (RequestDelegate)(context => RunAsync(context, ServicesAsync))).Requires(Reading);
        group.MapPost("/rundata", (RequestDelegate)RunDataAsync).Requires(Reading);
    }

    private static async Task RunAsync(HttpContext context, Func<HttpContext, Run, CancellationToken, Task<IResult>> answer)
    {
        var ct = context.RequestAborted;
        var id = (string)context.Request.RouteValues["id"]!;
        await (await AnswerAsync(context, id, answer, ct)).ExecuteAsync(context);
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, string id, Func<HttpContext, Run, CancellationToken, Task<IResult>> answer, CancellationToken ct)
    {
        var workspace = (await WorkspaceRef.BindAsync(context))!;
        return await Runs(context).FindAsync(workspace, id, ct) is { } run
            ? await answer(context, run, ct)
            : ArmResults.Problem(new Problem(ProblemKind.NotFound, "UserError", $"Run {id} was not found in workspace '{workspace.Name}'."));
    }

    private static async Task<IResult> RunDocumentAsync(HttpContext context, Run run, CancellationToken ct) =>
        ArmResults.Ok(await DocumentAsync(context, run, ct));

    private static async Task<IResult> DetailsAsync(HttpContext context, Run run, CancellationToken ct)
    {
        var status = context.RequestServices.GetRequiredService<StreamedStatus>().Of(run.Workspace, run);
        return ArmResults.Ok(new JsonObject
        {
            ["runId"] = run.Id,
            ["target"] = run.Target,
            ["status"] = status.ToString(),
            ["startTimeUtc"] = RunHistory.Time(run.Started),
            ["endTimeUtc"] = status.IsTerminal() ? RunHistory.Time(run.Ended) : null,
            ["services"] = new JsonObject(),
            ["warnings"] = new JsonArray(),
            ["properties"] = new JsonObject(),
            ["inputDatasets"] = new JsonArray(),
            ["outputDatasets"] = new JsonArray(),
            ["logFiles"] = await LogsAsync(context, run, ct),
            ["error"] = status.IsTerminal() ? RunHistory.Error(run) : null,
            ["submittedBy"] = run.User,
        });
    }

    private static async Task<JsonObject> LogsAsync(HttpContext context, Run run, CancellationToken ct)
    {
        var signer = context.RequestServices.GetRequiredService<IBlobSigner>();
        var artifacts = context.RequestServices.GetRequiredService<ArtifactStore>();
        var logs = new JsonObject();
        foreach (var folder in LogFolders)
        {
            foreach (var (path, blob) in await artifacts.FilesAsync(run.Workspace, run.Id, folder, MostLogs, ct))
            {
                logs[path] = (await signer.SignAsync(context, blob, BlobRights.Read, LogLife, ct)).AbsoluteUri;
            }
        }

        return logs;
    }

    private static async Task<IResult> ChildrenAsync(HttpContext context, Run run, CancellationToken ct)
    {
        var page = await Runs(context).ChildrenAsync(run.Workspace, run.Id, context.Request.Query["$skip"].FirstOrDefault(), ChildrenOnPage, ct);
        var items = new List<JsonNode>();
        foreach (var child in page.Items)
        {
            items.Add(await DocumentAsync(context, child, ct));
        }

        return ArmResults.Page(context, items, page.Next);
    }

    /// <summary>Interactive services do not exist yet: a job that asks for them is refused, so no run has any.</summary>
    private static Task<IResult> ServicesAsync(HttpContext context, Run run, CancellationToken ct) =>
        Task.FromResult(ArmResults.Ok(new JsonObject { ["instances"] = new JsonObject() }));

    private static async Task RunDataAsync(HttpContext context)
    {
        var ct = context.RequestAborted;
        var read = await JsonBody.ReadAsync(context.Request, ct);
        var answer = !read.TryGet(out var body, out var problem) ? ArmResults.Problem(problem)
            : body.Text("runId") is { Length: > 0 } id ? await AnswerAsync(context, id, RunDataAsync, ct)
            : ArmResults.Problem(ArmErrors.Invalid("The member 'runId' is missing.", "runId"));
        await answer.ExecuteAsync(context);
    }

    private static async Task<IResult> RunDataAsync(HttpContext context, Run run, CancellationToken ct)
    {
        var metadata = await DocumentAsync(context, run, ct);
        var outputs = await Runs(context).OutputsAsync(run.Workspace, run.Id, ct);
        metadata["outputs"] = new JsonObject(outputs.Select(output => KeyValuePair.Create(
            output.Name,
            (JsonNode?)new JsonObject { ["assetId"] = output.AssetId, ["type"] = RunHistory.TypeOf(output) })));
        return ArmResults.Ok(new JsonObject { ["runMetadata"] = metadata, ["runDefinition"] = new JsonObject(), ["jobSpecification"] = null });
    }

    /// <summary>Run history's document of a run.</summary>
    public static async Task<JsonObject> DocumentAsync(HttpContext context, Run run, CancellationToken ct)
    {
        var runs = Runs(context);
        var root = run;
        for (var depth = 0; root.Parent is { } parent && depth < DeepestTree; depth++)
        {
            if (await runs.FindAsync(run.Workspace, parent, ct) is not { } above)
            {
                break;
            }

            root = above;
        }

        return RunHistory.Document(run, root.Id, await runs.TagsAsync(run.Workspace, run.Id, ct), await runs.PropertiesAsync(run.Workspace, run.Id, ct));
    }

    private static IRuns Runs(HttpContext context) => context.RequestServices.GetRequiredService<IRuns>();
}
