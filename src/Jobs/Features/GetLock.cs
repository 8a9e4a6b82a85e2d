using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Jobs.Data;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/jobs/{name}/lock</c>: what a repetition of the job takes over. <c>{name, seed, references, environment: {digest, kind, python, image, imageSource, packages}, heldTo}</c>;
/// of a pipeline <c>{name, seed, references, steps: [{step, name, seed, environment, heldTo}], environments}</c>, where a step names its environment by the digest.
/// <c>environment</c> is null before the job's command began; <c>heldTo</c> is the digest that a job was to have that repeats another.
/// </summary>
internal static class GetLock
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapGet("jobs/{name}/lock", HandleAsync).Requires("workspaces/jobs/read");

    private static async Task<IResult> HandleAsync(string name, WorkspaceRef workspace, JobTable jobs, LockTelling locks, CancellationToken ct)
    {
        var id = workspace.Child("jobs", name);
        return await jobs.FindAsync(id, ct) is { } job
            ? ArmResults.Json(StatusCodes.Status200OK, await locks.OfAsync(job, ct))
            : ArmResults.Problem(ArmErrors.NotFound(id));
    }
}

/// <summary>Tells locks as answers.</summary>
internal sealed class LockTelling(JobTable jobs, LockTable locks)
{
    public async Task<JsonObject> OfAsync(JobRow job, CancellationToken ct)
    {
        var plan = job.ReadPlan();
        var pins = plan.Pins ?? (plan.Root is { } root ? (await jobs.FindAsync(job.Workspace.Child("jobs", root), ct))?.ReadPlan().Pins : null);
        var answer = new JsonObject
        {
            ["name"] = job.Name,
            ["seed"] = plan.Seed?.Of(plan.Root ?? job.Name, job.Name),
            ["references"] = new JsonObject((pins ?? new Dictionary<string, string>()).Select(pin => KeyValuePair.Create(pin.Key, (JsonNode?)pin.Value))),
        };
        if (!job.IsPipeline)
        {
            answer["environment"] = job.EnvironmentLock is { } digest ? await DocumentAsync(digest, ct) : null;
            answer["heldTo"] = plan.EnvironmentLock;
            return answer;
        }

        var (steps, environments) = (new JsonArray(), new JsonObject());
        foreach (var step in await locks.CommandsBelowAsync(job.JobId, ct))
        {
            var own = step.ReadPlan();
            steps.Add(new JsonObject
            {
                ["step"] = LockTable.WayOf(job.Name, step.Name),
                ["name"] = step.Name,
                ["seed"] = own.Seed?.Of(own.Root ?? step.Name, step.Name),
                ["environment"] = step.EnvironmentLock,
                ["heldTo"] = own.EnvironmentLock,
            });
            if (step.EnvironmentLock is { } made && !environments.ContainsKey(made))
            {
                environments[made] = await DocumentAsync(made, ct);
            }
        }

        answer["steps"] = steps;
        answer["environments"] = environments;
        return answer;
    }

    private async Task<JsonObject?> DocumentAsync(string digest, CancellationToken ct)
    {
        if (await locks.FindAsync(digest, ct) is not { } made)
        {
            return null;
        }

        var document = JsonNode.Parse(made.Text)!.AsObject();
        document["digest"] = digest;
        return document;
    }
}
