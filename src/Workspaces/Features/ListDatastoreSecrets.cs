using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>The secret of a datastore; <c>secretsType</c> always equals the datastore's credentialsType. A body (expirable secrets) is ignored.</summary>
internal static class ListDatastoreSecrets
{
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapWorkspace().MapPost("datastores/{name}/listSecrets", HandleAsync).Requires("workspaces/datastores/listSecrets/action");

    private static async Task<IResult> HandleAsync(
        WorkspaceRef workspace, string name, IResources resources, ResourceSecrets secrets, IStorageAccounts accounts, CancellationToken ct)
    {
        var id = workspace.Child("datastores", name);
        if (await resources.FindAsync(id, ct) is not { } found)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        var type = found.Properties.Object("credentials")?.Text("credentialsType") ?? "None";
        if (DatastoreBody.SecretMember(type) is not { } member)
        {
            return ArmResults.Problem(ArmErrors.Invalid($"The datastore '{name}' has no secrets: its credentialsType is '{type}'.", "name"));
        }

        var secret = BuiltInDatastore.Is(found.Id.Name)
            ? await accounts.GetKeyAsync(found.Properties.Text("accountName")!, ct)
            : await secrets.FindAsync(found.Id, ct);
        var answer = new JsonObject { ["secretsType"] = type };
        if (secret is not null)
        {
            answer[member] = secret;
        }

        return ArmResults.Ok(answer);
    }
}
