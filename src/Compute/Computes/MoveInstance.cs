using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Compute.Computes;

/// <summary>
/// <c>start</c>, <c>stop</c> and <c>restart</c> of a compute instance: 202 with an operation that has ended, since there is no machine to wait
/// for. What runs is not killed: stopping an instance in use is a conflict.
/// </summary>
internal static class MoveInstance
{
    public static void Map(IEndpointRouteBuilder workspace)
    {
        foreach (var (verb, state) in ((string, string)[])[("start", "Running"), ("stop", "Stopped"), ("restart", "Running")])
        {
            workspace.MapPost($"computes/{{name}}/{verb}", (HttpContext http, WorkspaceRef ws, string name, InstanceStates states, CancellationToken ct) => states.MoveAsync(http, ws.Child("computes", name), verb, state, ct))
                .Requires($"workspaces/computes/{verb}/action");
        }
    }
}

/// <summary>Moves instances from one state to another.</summary>
internal sealed class InstanceStates(IDatabase database, IResources resources, IOperations operations, ComputeTargets targets)
{
    public async Task<IResult> MoveAsync(HttpContext http, ArmId id, string verb, string state, CancellationToken ct)
    {
        var operation = await database.WriteAsync(
            scope =>
            {
                var found = resources.Find(scope, id) ?? throw new ProblemException(ArmErrors.NotFound(id));
                if (!ComputeBody.IsInstance(found.Properties))
                {
                    throw new ProblemException(ArmErrors.Invalid($"'{id.Name}' is no compute instance; only compute instances are started and stopped.", code: "OperationNotSupported"));
                }

                var document = found.Document.Copy();
                var inner = document.Object("properties")!.Object("properties") ?? [];
                if (verb != "start")
                {
                    targets.RequireIdle(found.Id);
                }

                inner["state"] = state;
                inner["lastOperation"] = new JsonObject
                {
                    ["operationName"] = char.ToUpperInvariant(verb[0]) + verb[1..],
                    ["operationTime"] = ResourceDocument.Wire(scope.Now),
                    ["operationStatus"] = "Succeeded",
                    ["operationTrigger"] = "User",
                };
                document.Object("properties")!["properties"] = inner;
                resources.Put(scope, found.Id, document, http.Caller());
                var started = operations.Start(scope, found.Id, document.Text("location") ?? "local");
                operations.Succeed(scope, started.Id);
                return started;
            },
            ct);
        return ArmResults.Started(http, StatusCodes.Status202Accepted, null, operation);
    }
}
