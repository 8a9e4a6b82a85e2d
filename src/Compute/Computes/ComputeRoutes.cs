using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Compute.Computes;

/// <summary>Start, stop and restart of instances, nodes, keys, sizes and usages.</summary>
internal static class ComputeRoutes
{
    private const string Location = $"/subscriptions/{{subscriptionId}}/providers/{Routes.Provider}/locations/{{location}}";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var workspace = endpoints.MapWorkspace();
        workspace.MapPost("computes/{name}/start", (HttpContext http, WorkspaceRef ws, string name, CancellationToken ct) => MoveAsync(http, ws, name, "Running", ct)).Requires("workspaces/computes/start/action");
        workspace.MapPost("computes/{name}/stop", (HttpContext http, WorkspaceRef ws, string name, CancellationToken ct) => MoveAsync(http, ws, name, "Stopped", ct)).Requires("workspaces/computes/stop/action");
        workspace.MapPost("computes/{name}/restart", (HttpContext http, WorkspaceRef ws, string name, CancellationToken ct) => MoveAsync(http, ws, name, "Running", ct)).Requires("workspaces/computes/restart/action");
        workspace.MapPost("computes/{name}/listNodes", ListNodesAsync).Requires("workspaces/computes/listNodes/action");
        endpoints.MapGet(Location + "/vmSizes", () => ArmResults.Ok(new JsonObject { ["value"] = ComputeSizes.List() })).Requires("locations/vmsizes/read");
        endpoints.MapGet(Location + "/usages", () => ArmResults.Ok(new JsonObject { ["value"] = new JsonArray() })).Requires("locations/usages/read");
    }

    private static async Task<IResult> MoveAsync(HttpContext http, WorkspaceRef workspace, string name, string state, CancellationToken ct)
    {
        var resources = (IResources)http.RequestServices.GetService(typeof(IResources))!;
        var operations = (IOperations)http.RequestServices.GetService(typeof(IOperations))!;
        var database = (IDatabase)http.RequestServices.GetService(typeof(IDatabase))!;
        var id = workspace.Child("computes", name);
        var operation = await database.WriteAsync(
            scope =>
            {
                var found = resources.Find(scope, id) ?? throw new ProblemException(ArmErrors.NotFound(id));
                if (found.Properties.Text("computeType") is not "ComputeInstance")
                {
                    throw new ProblemException(ArmErrors.Invalid($"'{name}' is an AmlCompute; only compute instances are started and stopped.", code: "OperationNotSupported"));
                }

                var document = found.Document;
                var properties = document.Object("properties")!;
                var inner = properties.Object("properties") ?? [];
                inner["state"] = state;
                properties["properties"] = inner;
                resources.Put(scope, found.Id, document, http.Caller());
                var started = operations.Start(scope, found.Id, document.Text("location") ?? "local");
                operations.Succeed(scope, started.Id);
                return started;
            },
            ct);
        return ArmResults.Started(http, StatusCodes.Status202Accepted, null, operation);
    }

    private static async Task<IResult> ListNodesAsync(WorkspaceRef workspace, string name, IResources resources, CancellationToken ct)
    {
        var id = workspace.Child("computes", name);
        return await resources.FindAsync(id, ct) is null
            ? ArmResults.Problem(ArmErrors.NotFound(id))
            : ArmResults.Ok(new JsonObject { ["nodes"] = new JsonArray() });
    }
}
