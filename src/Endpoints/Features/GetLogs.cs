using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Endpoints.Data;
using Zaffre.Endpoints.Online;
using Zaffre.Endpoints.Runtime;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Endpoints.Features;

/// <summary><c>getLogs</c>: the last lines of what preparation (<c>StorageInitializer</c>) or the instances (<c>InferenceServer</c>, the default) wrote.</summary>
internal static class GetLogs
{
    private const int StandardTail = 100;

    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapPost(OnlineEndpoint.Type + "/{endpoint}/deployments/{name}/getLogs", HandleAsync).Requires("workspaces/onlineEndpoints/deployments/getLogs/action");

    private static async Task<IResult> HandleAsync(
        HttpContext context, WorkspaceRef workspace, string endpoint, string name, DeploymentStore store, DeploymentLogs logs, CancellationToken ct)
    {
        var id = workspace.Child(OnlineEndpoint.Type, endpoint).Child("deployments", name);
        var body = new JsonObject();
        if (context.Request.ContentLength is not (null or 0))
        {
            if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out body, out var problem))
            {
                return ArmResults.Problem(problem);
            }
        }

        var tail = StandardTail;
        if (body["tail"] is { } node && !(node is JsonValue value && value.TryGetValue(out tail) && tail is >= 1 and <= 100_000))
        {
            return ArmResults.Problem(ArmErrors.Invalid("'tail' must be a whole number from 1 to 100000.", "tail"));
        }

        var container = body.Text("containerType") ?? "InferenceServer";
        var preparation = container.Equals("StorageInitializer", StringComparison.OrdinalIgnoreCase);
        if (!preparation && !container.Equals("InferenceServer", StringComparison.OrdinalIgnoreCase))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"'{container}' is no container: use InferenceServer or StorageInitializer.", "containerType"));
        }

        if (await store.FindAsync(id, ct) is not { } row)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        return ArmResults.Ok(new JsonObject { ["content"] = await logs.TailAsync(row, preparation, tail, ct) });
    }
}
