using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Live.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/runs/{run}/events</c> (<c>jobs/{name}/events</c> for a job, <c>experiments/{id or name}/events</c> for every run of an experiment): server-sent events of
/// params, tags, metrics, states and logs. <c>events=metric,status</c> chooses among <c>param</c>, <c>tag</c>, <c>metric</c>, <c>status</c> and <c>log</c> (of runs);
/// <c>from=start|now</c> says where a reader begins that sends no <c>Last-Event-ID</c>: a run's at the start, an experiment's now.
/// </summary>
internal static class StreamEvents
{
    private const string Reading = "workspaces/experiments/runs/read";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var workspace = endpoints.MapWorkspace("/zaffre/v1");
        workspace.MapGet("runs/{run}/events", OfRunAsync).Requires(Reading);
        workspace.MapGet("jobs/{run}/events", OfRunAsync).Requires("workspaces/jobs/read");
        workspace.MapGet("experiments/{experiment}/events", OfExperimentAsync).Requires(Reading);
    }

    private static async Task<IResult> OfRunAsync(string run, WorkspaceRef workspace, HttpContext context, RunStore runs, EventStreams streams, CancellationToken ct) =>
        await runs.FindRowAsync(workspace, run, ct) is { } row
            ? await streams.AnswerAsync(context, workspace, new FeedSubject(false, row.Key), row.Id, ct)
            : ArmResults.Problem(ArmErrors.NotFound($"The run '{run}'"));

    private static async Task<IResult> OfExperimentAsync(string experiment, WorkspaceRef workspace, HttpContext context, ExperimentStore experiments, EventStreams streams, CancellationToken ct) =>
        await experiments.FindRowAsync(workspace, experiment, ct) is { } row
            ? await streams.AnswerAsync(context, workspace, new FeedSubject(true, row.Key), row.Id, ct)
            : ArmResults.Problem(ArmErrors.NotFound($"The experiment '{experiment}'"));
}
