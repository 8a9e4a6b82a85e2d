using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Compute;
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
        string name, WorkspaceRef workspace, HttpContext context, IWorkspaces workspaces, JobCanceling canceling, CancellationToken ct)
    {
        var location = (await workspaces.GetAsync(workspace, ct)).Value.Location;
        var id = workspace.Child("jobs", name);
        if (await canceling.CancelAsync(id, context.Caller(), location) is not { } outcome)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        return outcome.Operation is { } operation
            ? ArmResults.Started(context, StatusCodes.Status202Accepted, null, operation)
            : Results.Ok();
    }
}

/// <summary>Ends jobs on request, whoever works on them.</summary>
internal sealed class JobCanceling(Transitions transitions, Claims claims, Orchestrator orchestrator)
{
    /// <summary>Null when there is no such job; an operation while the end is to come.</summary>
    public async Task<(Data.JobRow Job, Operation? Operation)?> CancelAsync(ArmId id, Caller caller, string location)
    {
        // Held, so that nothing begins to work on a queued job while it is being canceled.
        var held = claims.TryTake(id);
        try
        {
            var outcome = await transitions.CancelAsync(id, caller, location, idle: held is not null);
            claims.AskStop(id, StopReason.Canceled);
            return outcome;
        }
        finally
        {
            held?.Dispose();
            if (held is not null)
            {
                await orchestrator.ReleasedAsync(id);
            }
        }
    }
}
