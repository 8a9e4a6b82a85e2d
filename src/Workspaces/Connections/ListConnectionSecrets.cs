using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>The connection with its credentials.</summary>
internal static class ListConnectionSecrets
{
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapWorkspace().MapPost("connections/{connectionName}/listsecrets", HandleAsync).Requires("workspaces/connections/listsecrets/action");

    private static async Task<IResult> HandleAsync(HttpContext context, WorkspaceRef workspace, string connectionName, IResources resources, ResourceSecrets secrets, CancellationToken ct)
    {
        var id = workspace.Child("connections", connectionName);
        if (await resources.FindAsync(id, ct) is not { } found)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        var answer = ResourceDocument.Answer(found);
        var properties = answer.Object("properties")!;
        properties["metadata"] ??= new JsonObject();
        properties["isSharedToAll"] ??= false;
        if (await secrets.FindAsync(found.Id, ct) is { } credentials)
        {
            properties["credentials"] = JsonNode.Parse(credentials);
        }

        context.Response.Headers.CacheControl = "no-store";
        return ArmResults.Ok(answer);
    }
}
