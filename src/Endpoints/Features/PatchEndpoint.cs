using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Endpoints.Online;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Endpoints.Features;

/// <summary>PATCH of an endpoint: tags and identity.</summary>
internal static class PatchEndpoint
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapPatch(OnlineEndpoint.Type + "/{name}", HandleAsync).Requires("workspaces/onlineEndpoints/write");

    private static async Task<IResult> HandleAsync(
        HttpContext context, WorkspaceRef workspace, string name, OnlineEndpoint type, IDatabase database, IResources resources, CancellationToken ct)
    {
        var id = workspace.Child(OnlineEndpoint.Type, name);
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var patch, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var foreign = patch.Select(p => p.Key).Where(k => k is not ("tags" or "identity")).ToList();
        if (foreign.Count > 0)
        {
            return ArmResults.Problem(Problem.Combine([.. foreign.Select(k => ArmErrors.Invalid($"PATCH changes 'tags' and 'identity'; send a PUT to change '{k}'.", k))]));
        }

        var caller = context.Caller();
        var written = await database.WriteAsync(
            scope => resources.Find(scope, id) is { } present ? resources.Put(scope, present.Id, MergePatch.Apply(present.Document, patch), caller) : null, ct);
        if (written is null)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        var answer = ResourceDocument.Answer(written);
        await type.RenderAsync(new ResourceCall(id, workspace, caller, "", context), written, answer, ct);
        StoredOnly.Mark(context, type, written.Document);
        return ArmResults.Ok(answer, written.ETag);
    }
}
