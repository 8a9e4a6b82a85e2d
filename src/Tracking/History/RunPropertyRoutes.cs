using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>
/// PATCH of a run in run history: properties and tags, which are added to those it has. azureml-core's <c>Run.add_properties</c> and mldesigner,
/// which so tells the values of control outputs, send it. The latter makes the address from the tracking URI: hence the second mount.
/// </summary>
internal static class RunPropertyRoutes
{
    private const int LongestName = 100;
    private const int LongestValue = 1000;
    private static readonly string[] Members = ["runId", "properties", "tags"];

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var mount in new[] { "/history/v1.0", "/zaffre/v1" })
        {
            var group = endpoints.MapWorkspace(mount);
            foreach (var experiments in new[] { "experiments", "experimentids" })
            {
                group.MapPatch($"/{experiments}/{{experiment}}/runs/{{id}}", ArtifactRoutes.Of(HandleAsync)).Requires("workspaces/experiments/runs/write");
            }
        }
    }

    private static async Task<IResult> HandleAsync(HttpContext context, RunRow run, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var problems = new List<Problem>();
        foreach (var (name, _) in body.Where(member => member.Value is not null && !Members.Contains(member.Key, StringComparer.Ordinal)))
        {
            problems.Add(new Problem(ProblemKind.Unsupported, "OperationNotSupported", $"The member '{name}' of a run cannot be changed here; properties and tags can.") { Target = name });
        }

        var (properties, tags) = (Texts(body, "properties", problems), Texts(body, "tags", problems));
        if (problems.Count > 0)
        {
            return ArmResults.Problem(Problem.Combine(problems));
        }

        var workspace = (await WorkspaceRef.BindAsync(context))!;
        var key = await context.RequestServices.GetRequiredService<WorkspaceKeys>().EnsureAsync(workspace, ct);
        await context.RequestServices.GetRequiredService<IDatabase>().WriteAsync(scope => Write(scope, new MlflowCall(context, MlflowMount.All[1], key), run.Id, (properties, tags)), ct);
        var changed = (await context.RequestServices.GetRequiredService<IRuns>().FindAsync(workspace, run.Id, ct))!;
        return ArmResults.Ok(await RunHistoryRoutes.DocumentAsync(context, changed, ct));
    }

    private static bool Write(WriteScope scope, MlflowCall call, string id, (Dictionary<string, string> Properties, Dictionary<string, string> Tags) changes)
    {
        var run = RunAccess.Find(scope, call, id);
        RunData.SetProperties(scope, run.Key, changes.Properties);
        RunData.SetTags(scope, run, changes.Tags.Select(tag => (tag.Key, tag.Value)));
        scope.Append(RunAccess.Event(call, run, "write"));
        return true;
    }

    private static Dictionary<string, string> Texts(JsonObject body, string member, List<Problem> problems)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (body[member] is not JsonObject map)
        {
            if (body[member] is not null)
            {
                problems.Add(ArmErrors.Invalid($"'{member}' must be an object.", member));
            }

            return texts;
        }

        foreach (var (name, value) in map)
        {
            var text = value is JsonValue ? ZaffreJson.Text(value) : null;
            if (name.Length is 0 or > LongestName || text is null || text.Length > LongestValue)
            {
                problems.Add(ArmErrors.Invalid($"A name of '{member}' has 1 to {LongestName} characters, and its value is a text of at most {LongestValue}.", $"{member}.{name}"));
            }
            else
            {
                texts[name] = text;
            }
        }

        return texts;
    }
}
