using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Assets;
using Zaffre.Kernel;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Compute.Environments.Features;

/// <summary>
/// POST <c>/zaffre/v1{W}/environments/{name}/versions/{version}/build</c>, with an optional body <c>{"compute": "..."}</c>: 202 with the operation to poll; the
/// body says how far it is. GET answers the same without building. <c>version</c> may be a label, <c>name</c> a ready-made environment's.
/// </summary>
internal sealed class BuildEnvironment(IAssets assets, IEnvironmentStates states, IComputes computes, IWorkspaces workspaces, RequestedBuilds builds)
{
    private const string Path = "environments/{name}/versions/{version}/build";

    public static void Map(IEndpointRouteBuilder workspace)
    {
        workspace.MapPost(Path, BuildAsync).Requires("workspaces/environments/build/action");
        workspace.MapGet(Path, StateAsync).Requires("workspaces/environments/versions/read");
    }

    private static async Task<IResult> BuildAsync(HttpContext context, WorkspaceRef workspace, string name, string version, BuildEnvironment feature, CancellationToken ct) =>
        await feature.AcceptAsync(context, workspace, (name, version), ct);

    private static async Task<IResult> StateAsync(WorkspaceRef workspace, string name, string version, BuildEnvironment feature, CancellationToken ct) =>
        (await feature.FindAsync(workspace, (name, version), ct)).TryGet(out var environment, out var problem)
            ? ArmResults.Ok(await feature.RenderAsync(environment, ct))
            : ArmResults.Problem(problem);

    private async Task<IResult> AcceptAsync(HttpContext context, WorkspaceRef workspace, (string Name, string Version) named, CancellationToken ct)
    {
        var problem = (Problem?)null;
        JsonObject? body = [];
        if (context.Request.ContentLength is > 0 && !(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out body, out problem)
            || !(await FindAsync(workspace, named, ct)).TryGet(out var environment, out problem))
        {
            return ArmResults.Problem(problem);
        }

        var compute = body!.Text("compute");
        if (compute is not null && !(await computes.FindAsync(workspace, compute, ct)).TryGet(out _, out problem))
        {
            return ArmResults.Problem(problem);
        }

        var state = await RenderAsync(environment, ct);
        return ArmResults.Started(context, StatusCodes.Status202Accepted, state, await builds.AcceptAsync((await workspaces.GetAsync(workspace, ct)).Value, environment, compute, ct));
    }

    private Task<Outcome<AssetVersion>> FindAsync(WorkspaceRef workspace, (string Name, string Version) named, CancellationToken ct) => assets.ResolveAsync(
        workspace, AssetType.Environment, named.Version.Equals("latest", StringComparison.OrdinalIgnoreCase) ? $"{named.Name}@latest" : $"{named.Name}:{named.Version}", ct);

    private async Task<JsonObject> RenderAsync(AssetVersion environment, CancellationToken ct)
    {
        var state = await states.FindAsync(environment.Properties, ct);
        return new JsonObject
        {
            ["id"] = environment.Id.Value,
            ["name"] = environment.Name,
            ["version"] = environment.Version,
            ["state"] = state?.State ?? "NotNeeded",
            ["key"] = state?.Key,
            ["failure"] = state?.Failure,
        };
    }
}
