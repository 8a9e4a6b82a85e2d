using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Jobs.Execution;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Jobs.Features;

/// <summary>
/// POST cancel: 200 when the job is over (a queued one ends at once), else 202 with the operation that tells when it is.
/// </summary>
internal static class CancelJob
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapPost("jobs/{name}/cancel", HandleAsync).Requires("workspaces/jobs/cancel/action");

    private static async Task<IResult> HandleAsync(
        string name, WorkspaceRef workspace, HttpContext context, IWorkspaces workspaces, Orchestrator orchestrator, CancellationToken ct)
    {
        var location = (await workspaces.GetAsync(workspace, ct)).Value.Location;
        var id = workspace.Child("jobs", name);
        if (await orchestrator.CancelAsync(id, context.Caller(), location) is not { } outcome)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        return outcome.Operation is { } operation
            ? ArmResults.Started(context, StatusCodes.Status202Accepted, null, operation)
            : Results.Ok();
    }
}
