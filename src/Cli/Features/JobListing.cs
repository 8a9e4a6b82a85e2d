using System.CommandLine;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre job list|show</c>.</summary>
internal static class JobListing
{
    public static Verb Show()
    {
        var name = new Option<string>("--name", "-n") { Description = "Name of the job.", Required = true };
        return new Verb("show", "Show details of a job.", async (call, ct) => Projection.Of(await FindAsync(call.Api, call.Get(name), ct)), name);
    }

    public static Verb List()
    {
        var parent = new Option<string?>("--parent-job-name", "-p") { Description = "Lists the steps of this pipeline." };
        var most = new Option<int>("--max-results", "-r") { Description = "Most jobs to list.", DefaultValueFactory = _ => 50 };
        var all = new Option<bool>("--all-results") { Description = "Lists every job." };
        var archived = new Option<bool>("--archived-only") { Description = "Lists archived jobs only." };
        var both = new Option<bool>("--include-archived") { Description = "Lists archived and active jobs." };
        return new Verb(
            "list",
            "List jobs in a workspace, newest first, or the steps of a pipeline.",
            async (call, ct) =>
            {
                var limit = call.Get(all) ? int.MaxValue : call.Get(most);
                if (call.Get(parent) is { } pipeline)
                {
                    return await StepsAsync(call.Api, pipeline, limit, ct);
                }

                var view = call.Get(archived) ? "ArchivedOnly" : call.Get(both) ? "All" : "ActiveOnly";
                return await call.CollectAsync(call.Api.Path("jobs", "&listViewType=" + view), limit, ct);
            },
            parent, most, all, archived, both);
    }

    /// <summary>The job, its outputs with the places where they lie.</summary>
    public static async Task<JsonObject> FindAsync(ApiClient api, string name, CancellationToken ct)
    {
        var job = await api.GetAsync(api.Path("jobs/" + name), ct);
        var outputs = job.Object("properties")?.Object("outputs") ?? [];
        foreach (var (output, place) in await api.GetAsync($"/zaffre/v1{api.WorkspacePath}/jobs/{Uri.EscapeDataString(name)}/outputs", ct))
        {
            if (outputs.Object(output) is { } shown)
            {
                shown["uri"] = (place as JsonObject)?.Text("uri");
            }
        }

        return job;
    }

    private static async Task<JsonNode?> StepsAsync(ApiClient api, string pipeline, int most, CancellationToken ct)
    {
        var steps = new JsonArray();
        await api.GetAsync(api.Path("jobs/" + pipeline), ct);
        await foreach (var run in api.ListAsync($"/history/v1.0{api.WorkspacePath}/runs/{Uri.EscapeDataString(pipeline)}/children", ct))
        {
            if (steps.Count == most)
            {
                break;
            }

            // Runs that a job makes itself, as MLflow does, are children too, and no jobs.
            if (await api.FindAsync(api.Path("jobs/" + run.Text("runId")), ct) is { } step)
            {
                steps.Add(Projection.Of(step));
            }
        }

        return steps;
    }
}
