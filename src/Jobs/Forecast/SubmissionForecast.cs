using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Jobs.Yaml;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Jobs.Forecast;

/// <summary>Where the parts of a forecast come from.</summary>
internal sealed record ForecastSources(JobPlanner Planner, PipelineRoot Pipelines, LookupSources Lookups, JobTable Jobs, IDatastores Datastores, IContentDigests Digests);

/// <summary>What a submission would come to.</summary>
internal sealed record Forecasted(ComingAssets Coming, ForecastTree Tree, Lookups Known, BlobLocation Store)
{
    /// <summary>The plan of the job itself; null when something is wrong.</summary>
    public JobPlan? Root { get; init; }

    /// <summary>True when the job exists, and only what people say about it would change.</summary>
    public bool IsUpdate { get; init; }
}

/// <summary>Compiles a submission as it would be accepted, and tells what its steps would do. Reads only.</summary>
internal sealed class SubmissionForecast(ForecastSources sources, ForecastWalk walk)
{
    private static readonly HashSet<string> None = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The forecast, or everything that is wrong with the job, each with its place in the YAML; <paramref name="experiment"/> is that of a job that names none.
    /// </summary>
    public async Task<Outcome<Forecasted>> MakeAsync(YamlReading reading, IReadOnlyDictionary<string, LocalContent> contents, string? experiment, CancellationToken ct)
    {
        var store = (await sources.Datastores.ResolveAsync(reading.Workspace, BuiltInDatastores.Blob, ct)).Value;
        var coming = new ComingAssets(reading, contents, store);
        var view = new ContentView(sources.Digests);
        foreach (var (placeholder, content) in contents)
        {
            view.Add(ComingAssets.AddressOf(content, store), placeholder, content);
        }

        var job = coming.Requests[^1];
        var properties = job.Body["properties"]!.AsObject();
        properties["experimentName"] ??= experiment;
        var planning = new Planning(reading.Workspace, job.Id.Name, reading.Caller, new Findings(), new Lookups(sources.Lookups, pending: coming));
        var forecast = new Forecasted(coming, new ForecastTree(view), planning.Known, store);
        await CheckAssetsAsync(reading, coming, planning.Findings, ct);
        if (await sources.Lookups.Resources.FindAsync(job.Id, ct) is { } existing)
        {
            if (JobUpdate.Conflict(existing, properties) is { } conflict)
            {
                planning.Findings.Add("properties.name", conflict);
            }

            forecast = forecast with { IsUpdate = true };
        }
        else if (await sources.Jobs.FindAsync(job.Id, ct) is { Parent: { } parent })
        {
            planning.Findings.Invalid("properties.name", $"The job '{job.Id.Name}' is a step of the pipeline '{new ArmId(parent).Name}'.");
        }

        var (root, steps) = await CompileAsync(planning, job.Id, properties, ct);
        YamlCheck.Report(reading, planning.Findings);
        if (reading.Problems.Count > 0)
        {
            return Problem.Combine(reading.Problems);
        }

        if (!forecast.IsUpdate)
        {
            await walk.GoAsync(forecast.Tree, steps, ct);
        }

        return forecast with { Root = root };
    }

    /// <summary>What would be created under names that are taken by something else.</summary>
    private async Task CheckAssetsAsync(YamlReading reading, ComingAssets coming, Findings findings, CancellationToken ct)
    {
        foreach (var request in coming.Requests.SkipLast(1))
        {
            if (!(await sources.Lookups.Assets.FindSameAsync(reading.Workspace, request.Id, request.Body["properties"]!.AsObject(), ct)).TryGet(out _, out var problem))
            {
                findings.Add("properties", problem);
            }
        }
    }

    private async Task<(JobPlan? Root, IReadOnlyList<PlannedStep> Steps)> CompileAsync(Planning planning, ArmId id, JsonObject properties, CancellationToken ct)
    {
        var findings = planning.Findings;
        CommandReader.Limited(properties, "displayName", findings);
        if (properties["jobType"]!.ToString() == JobKind.Pipeline)
        {
            WithoutEngine.CheckPipeline(properties, findings);
            var taken = await sources.Jobs.NamesAsync(planning.Workspace, id.Name + "_", ct);
            return await sources.Pipelines.CompileAsync(planning, properties, taken.Count == 0 ? None : taken, ct);
        }

        var spec = CommandReader.Read(properties, findings);
        return await sources.Planner.PlanAsync(planning, spec, ct) is { } plan
            ? (plan, [new PlannedStep(id, id.Parent, id.Name) { Plan = plan, Rank = spec.Rank, Document = properties, Needs = [] }])
            : (null, []);
    }
}
