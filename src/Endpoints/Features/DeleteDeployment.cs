using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Endpoints.Data;
using Zaffre.Endpoints.Online;
using Zaffre.Endpoints.Runtime;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Endpoints.Features;

/// <summary>DELETE of a deployment: refused while it has traffic. Its instances end after the requests that they run.</summary>
internal static class DeleteDeployment
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapDelete(OnlineEndpoint.Type + "/{endpoint}/deployments/{name}", HandleAsync).Requires("workspaces/onlineEndpoints/deployments/delete");

    private static async Task<IResult> HandleAsync(
        HttpContext context, WorkspaceRef workspace, string endpoint, string name, IDatabase database, IResources resources, GatewayKeeper gateway, CancellationToken ct)
    {
        var id = workspace.Child(OnlineEndpoint.Type, endpoint).Child("deployments", name);
        var caller = context.Caller();
        var condition = new PutCondition(context.Request.Headers.IfMatch is [{ } match] ? match : null, null);
        var deleted = await database.WriteAsync(
            scope =>
            {
                if (resources.Find(scope, id.Parent) is { } parent && resources.Find(scope, id) is not null)
                {
                    if (OnlineEndpoint.TrafficOf(parent.Document).Any(t => t.Value > 0 && t.Key.Equals(name, StringComparison.OrdinalIgnoreCase)))
                    {
                        throw new ProblemException(ArmErrors.Conflict($"Deployment '{name}' has traffic. Set its share to 0 on endpoint '{endpoint}' first.", "DeploymentHasTraffic"));
                    }

                    EndMirror(scope, resources, parent, name, caller);
                }

                return resources.Delete(scope, id, caller, condition);
            },
            ct);
        if (deleted)
        {
            await gateway.PushAsync(ct);
        }

        return deleted ? Results.Ok() : ArmResults.NoContent();
    }

    // Copies of requests are nobody's loss; an endpoint that went on naming the deployment could not be sent back as it was read.
    private static void EndMirror(WriteScope scope, IResources resources, Resource endpoint, string deployment, Caller caller)
    {
        if (OnlineEndpoint.MirrorOf(endpoint.Document).Keys.FirstOrDefault(key => key.Equals(deployment, StringComparison.OrdinalIgnoreCase)) is { } named)
        {
            var body = (JsonObject)endpoint.Document.DeepClone();
            body.Object("properties")!.Object("mirrorTraffic")!.Remove(named);
            resources.Put(scope, endpoint.Id, body, caller);
        }
    }
}

/// <summary>Whatever deletes an endpoint or something above it ends its instances and forgets its keys.</summary>
internal sealed class ServingDeletion(ServingSignals signals) : IScopedDeletion
{
    public void Delete(WriteScope write, ArmId scope)
    {
        foreach (var row in DeploymentStore.MarkDeleting(write, scope))
        {
            write.OnCommitted(() => signals.Deployment(row.RowKey));
        }

        EndpointStore.Delete(write, scope);
        write.OnCommitted(signals.Table);
    }
}
