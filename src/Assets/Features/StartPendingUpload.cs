using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Assets.Uploads;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>
/// <c>startPendingUpload</c> of a code version: where the client uploads before it registers. Each call answers a container of its own,
/// since clients take a file that is there already for an upload of the same content.
/// </summary>
internal static class StartPendingUpload
{
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapWorkspace().MapPost("codes/{name}/versions/{version}/startPendingUpload", HandleAsync).Requires("workspaces/codes/versions/startPendingUpload/action");

    private static async Task<IResult> HandleAsync(HttpContext context, WorkspaceRef workspace, string name, string version, UploadContainers uploads, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var problems = AssetStore.NameProblems(workspace.Child("codes", AssetNames.Strip(name)).Child("versions", version));
        if (body["pendingUploadType"] is { } type && !UploadContainers.Temporary.Equals(type.Text(), StringComparison.OrdinalIgnoreCase))
        {
            problems.Add(ArmErrors.Invalid($"'pendingUploadType' must be {UploadContainers.Temporary}; it is {UriPath.Shown(type.ToJsonString())}.", "pendingUploadType"));
        }

        if (problems.Count > 0)
        {
            return ArmResults.Problem(Problem.Combine(problems));
        }

        return ArmResults.From(await uploads.OfferAsync(context, workspace, ct), offer => ArmResults.Ok(offer));
    }
}
