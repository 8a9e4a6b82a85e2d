using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/jobs/{name}/outputs</c>: where the outputs of a job lie, by name: <c>{name: {type, uri, asset, files, bytes, sha256}}</c>. The job itself
/// shows what was asked for, which may hold <c>${{name}}</c> or name no place at all, so that it can be submitted again.
/// </summary>
internal static class ListOutputs
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapGet("jobs/{name}/outputs", HandleAsync).Requires("workspaces/jobs/read");

    private static async Task<IResult> HandleAsync(string name, WorkspaceRef workspace, JobTable jobs, CancellationToken ct)
    {
        var id = workspace.Child("jobs", name);
        if (await jobs.FindAsync(id, ct) is null)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        return ArmResults.Ok(new JsonObject((await jobs.OutputsAsync(id, ct)).Select(output => KeyValuePair.Create(output.Name, (JsonNode?)new JsonObject
        {
            ["type"] = JobTypes.OnWire(output.Type),
            ["uri"] = output.Uri,
            ["asset"] = output.Asset,
            ["files"] = output.Files,
            ["bytes"] = output.Bytes,
            ["sha256"] = output.Sha256,
        }))));
    }
}
