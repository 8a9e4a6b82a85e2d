using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Compute.Computes;

/// <summary><c>listNodes</c>: a node for each place that is taken, with its run. Idle places are no machines and are not shown.</summary>
internal static class ListNodes
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapPost("computes/{name}/listNodes", HandleAsync).Requires("workspaces/computes/listNodes/action");

    private static async Task<IResult> HandleAsync(WorkspaceRef workspace, string name, IResources resources, ComputeTargets targets, CancellationToken ct)
    {
        var id = workspace.Child("computes", name);
        if (await resources.FindAsync(id, ct) is not { } found)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        var nodes = targets.TasksOn(found.Id).Select(node => (JsonNode)new JsonObject
        {
            ["nodeId"] = $"{found.Id.Name}-{node.Number}",
            ["privateIpAddress"] = null,
            ["publicIpAddress"] = null,
            ["port"] = null,
            ["nodeState"] = node.Run is null ? "preparing" : "running",
            ["runId"] = node.Run,
        });
        return ArmResults.Ok(new JsonObject { ["nodes"] = new JsonArray([.. nodes]) });
    }
}
