using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Endpoints.Data;
using Zaffre.Endpoints.Online;
using Zaffre.Endpoints.Runtime;
using Zaffre.Gateway;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Endpoints.Features;

/// <summary><c>listKeys</c>, <c>regenerateKeys</c> and <c>token</c> of an endpoint.</summary>
internal static class EndpointKeys
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);

    public static void Map(IEndpointRouteBuilder workspace)
    {
        workspace.MapPost(OnlineEndpoint.Type + "/{name}/listKeys", ListAsync).Requires("workspaces/onlineEndpoints/listkeys/action");
        workspace.MapPost(OnlineEndpoint.Type + "/{name}/regenerateKeys", RegenerateAsync).Requires("workspaces/onlineEndpoints/regenerateKeys/action");
        workspace.MapPost(OnlineEndpoint.Type + "/{name}/token", TokenAsync).Requires("workspaces/onlineEndpoints/token/action");
    }

    private static async Task<IResult> ListAsync(WorkspaceRef workspace, string name, EndpointStore store, IResources resources, CancellationToken ct)
    {
        if (!(await FindAsync(workspace, name, EndpointAuthentication.Key, store, resources, ct)).TryGet(out var row, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var (primary, secondary) = store.Open(row);
        return ArmResults.Ok(new JsonObject { ["primaryKey"] = primary, ["secondaryKey"] = secondary });
    }

    // The SDK sends the present key as keyValue; only another value is meant as a key to set.
    private static async Task<IResult> RegenerateAsync(
        HttpContext context, WorkspaceRef workspace, string name, EndpointStore store, IResources resources, IDatabase database, GatewayKeeper gateway, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem)
            || !(await FindAsync(workspace, name, EndpointAuthentication.Key, store, resources, ct)).TryGet(out var row, out problem))
        {
            return ArmResults.Problem(problem);
        }

        var kind = body.Text("keyType") ?? "";
        var primary = kind.Equals("Primary", StringComparison.OrdinalIgnoreCase);
        if (!primary && !kind.Equals("Secondary", StringComparison.OrdinalIgnoreCase))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"'{kind}' is no 'keyType': use Primary or Secondary.", "keyType"));
        }

        var (first, second) = store.Open(row);
        var wanted = body.Text("keyValue");
        if (wanted is { Length: > 0 and (< 16 or > 512) })
        {
            return ArmResults.Problem(ArmErrors.Invalid("A key has 16 to 512 characters.", "keyValue"));
        }

        var key = string.IsNullOrEmpty(wanted) || wanted == first || wanted == second ? EndpointStore.NewKey() : wanted;
        var caller = context.Caller();
        await database.WriteAsync(
            scope =>
            {
                store.SetKey(scope, row, primary, key);
                scope.Append(new NewEvent(caller.ObjectId, "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/regenerateKeys/action", row.EndpointId));
            },
            ct);
        await gateway.PushAsync(ct);
        return ArmResults.Ok(new JsonObject());
    }

    private static async Task<IResult> TokenAsync(WorkspaceRef workspace, string name, EndpointStore store, IResources resources, TimeProvider time, CancellationToken ct)
    {
        if (!(await FindAsync(workspace, name, EndpointAuthentication.Token, store, resources, ct)).TryGet(out var row, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var (keyId, key) = await store.TokenKeyAsync(ct);
        using var disposed = key;
        var expires = time.GetUtcNow() + TokenLifetime;
        return ArmResults.Ok(new JsonObject
        {
            ["accessToken"] = EndpointToken.Issue(key, keyId, (row.Name, row.Epoch), expires),
            ["expiryTimeUtc"] = expires.ToUnixTimeSeconds(),
            ["refreshAfterTimeUtc"] = (expires - (TokenLifetime / 4)).ToUnixTimeSeconds(),
            ["tokenType"] = "Bearer",
        });
    }

    private static async Task<Outcome<EndpointRow>> FindAsync(
        WorkspaceRef workspace, string name, EndpointAuthentication mode, EndpointStore store, IResources resources, CancellationToken ct)
    {
        var id = workspace.Child(OnlineEndpoint.Type, name);
        if (await resources.FindAsync(id, ct) is not { } endpoint || await store.FindAsync(id, ct) is not { } row)
        {
            return ArmErrors.NotFound(id);
        }

        var own = OnlineEndpoint.ModeOf(endpoint.Document);
        return own == mode ? row : ArmErrors.Invalid(own switch
        {
            EndpointAuthentication.Key => "This endpoint has keys (authMode Key): use listKeys.",
            EndpointAuthentication.Token => "This endpoint has tokens (authMode AMLToken): use token.",
            _ => "This endpoint takes access tokens (authMode AADToken) of principals that hold onlineEndpoints/score/action: ask the authority for one for https://ml.azure.com.",
        });
    }
}
