using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Identity.Features;

/// <summary>Our own routes for service principals; on Azure they are Microsoft Graph's. Whoever may give roles may make principals.</summary>
internal static class PrincipalRoutes
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/zaffre/v1/principals");
        group.MapGet("", ListAsync).Requires("Microsoft.Authorization/servicePrincipals/read");
        group.MapPost("", CreateAsync).Requires("Microsoft.Authorization/servicePrincipals/write");
        group.MapDelete("{id}", DeleteAsync).Requires("Microsoft.Authorization/servicePrincipals/delete");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IPrincipals principals, CancellationToken ct) =>
        ArmResults.Page(context, (await principals.ListAsync(ct)).Select(Render), null);

    private static async Task<IResult> CreateAsync(HttpContext context, IPrincipals principals, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var created = await principals.CreateAsync(body.Text("name") ?? "", context.Caller().ObjectId, ct);
        var answer = Render(created.Principal);
        answer["clientSecret"] = created.ClientSecret;
        context.Response.Headers.CacheControl = "no-store";
        return ArmResults.Created(answer);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, IPrincipals principals, CancellationToken ct) =>
        await principals.DeleteAsync(id, context.Caller().ObjectId, ct) ? ArmResults.Json(StatusCodes.Status200OK, null) : ArmResults.NoContent();

    private static JsonObject Render(Principal principal) => new()
    {
        ["objectId"] = principal.ObjectId,
        ["clientId"] = principal.ClientId,
        ["name"] = principal.Name,
        ["createdAt"] = principal.CreatedAt.ToString("O"),
    };
}
