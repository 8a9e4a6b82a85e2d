using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Assets;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Compute.Environments.Features;

/// <summary>
/// POST <c>/zaffre/v1{W}/environments/{name}/versions/{version}/build</c>, with an optional body <c>{"compute": "..."}</c>: 202 with the operation to poll; the
/// body says how far it is. GET answers the same without building. <c>version</c> may be a label, <c>name</c> a ready-made environment's.
/// </summary>
internal static class BuildEnvironment
{
    private const string Path = "environments/{name}/versions/{version}/build";

    public static void Map(IEndpointRouteBuilder workspace)
    {
        workspace.MapPost(Path, BuildAsync).Requires("workspaces/environments/build/action");
        workspace.MapGet(Path, StateAsync).Requires("workspaces/environments/versions/read");
    }

    private static async Task<IResult> BuildAsync(
        HttpContext context, WorkspaceRef workspace, string name, string version, IAssets assets, IEnvironmentStates states, IComputes computes, RequestedBuilds builds, CancellationToken ct)
    {
        var problem = (Problem?)null;
        JsonObject? body = [];
        if (context.Request.ContentLength is > 0 && !(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out body, out problem)
            || !(await FindAsync(assets, workspace, name, version, ct)).TryGet(out var environment, out problem))
        {
            return ArmResults.Problem(problem);
        }

        var compute = body!.Text("compute");
        if (compute is not null && !(await computes.FindAsync(workspace, compute, ct)).TryGet(out _, out problem))
        {
            return ArmResults.Problem(problem);
        }

        var state = Render(environment, await states.FindAsync(environment.Properties, ct));
        return ArmResults.Started(context, StatusCodes.Status202Accepted, state, await builds.AcceptAsync(workspace, environment, compute, ct));
    }

    private static async Task<IResult> StateAsync(WorkspaceRef workspace, string name, string version, IAssets assets, IEnvironmentStates states, CancellationToken ct) =>
        (await FindAsync(assets, workspace, name, version, ct)).TryGet(out var environment, out var problem)
            ? ArmResults.Ok(Render(environment, await states.FindAsync(environment.Properties, ct)))
            : ArmResults.Problem(problem);

    private static Task<Outcome<AssetVersion>> FindAsync(IAssets assets, WorkspaceRef workspace, string name, string version, CancellationToken ct) =>
        assets.ResolveAsync(workspace, AssetType.Environment, version.Equals("latest", StringComparison.OrdinalIgnoreCase) ? $"{name}@latest" : $"{name}:{version}", ct);

    private static JsonObject Render(AssetVersion environment, EnvironmentState? state) => new()
    {
        ["id"] = environment.Id.Value,
        ["name"] = environment.Name,
        ["version"] = environment.Version,
        ["state"] = state?.State ?? "NotNeeded",
        ["key"] = state?.Key,
        ["failure"] = state?.Failure,
    };
}
