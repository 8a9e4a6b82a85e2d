using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Jobs.Data;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/jobs/{name}/usage</c>: what the job used, a pipeline with everything below it; and its cost, where the operator has a
/// price table. Null: not measured. Jobs that run are counted when they end.
/// </summary>
internal static class GetUsage
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapGet("jobs/{name}/usage", HandleAsync).Requires("workspaces/jobs/read");

    private static async Task<IResult> HandleAsync(string name, WorkspaceRef workspace, JobTable jobs, UsageTable usage, CancellationToken ct)
    {
        var id = workspace.Child("jobs", name);
        if (await jobs.FindAsync(id, ct) is not { } job)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        var totals = await usage.TotalsAsync(id, ct);
        return ArmResults.Ok(new JsonObject
        {
            ["name"] = job.Name,
            ["status"] = job.Status,
            ["jobs"] = totals.Jobs,
            ["running"] = totals.Running,
            ["wallSeconds"] = job.IsPipeline ? (job.Ended - job.Started) / 1000.0 : totals.Wall,
            ["slotSeconds"] = totals.SlotSeconds,
            ["cpuSeconds"] = totals.Cpu,
            ["gpuSeconds"] = totals.GpuSeconds,
            ["peakMemoryBytes"] = totals.Peak,
            ["readBytes"] = totals.Read,
            ["writtenBytes"] = totals.Written,
            ["cost"] = totals.Cost is { } cost ? new JsonObject { ["amount"] = Math.Round((decimal)cost, 6), ["currency"] = totals.Currency } : null,
        });
    }
}
