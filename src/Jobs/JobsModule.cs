using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Differences;
using Zaffre.Jobs.Execution;
using Zaffre.Jobs.Execution.Reuse;
using Zaffre.Jobs.Features;
using Zaffre.Jobs.Forecast;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Jobs.Yaml;
using Zaffre.Resources;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs;

/// <summary>Registers the jobs module.</summary>
public static class JobsModule
{
    /// <summary>Adds jobs, their orchestrator and their part of URI and YAML resolution.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services)
    {
        services.AddMigrations<JobTable>();
        services.TryAddSingleton<JobOptions>();
        services.AddSingleton<Claims>();
        services.AddSingleton<JobTable>();
        services.AddSingleton<JobQueue>();
        services.AddSingleton<UsageTable>().AddSingleton<LockTable>().AddSingleton<LockTelling>();
        services.AddSingleton<Metering>();
        services.AddSingleton<JobFacets>();
        services.AddSingleton<IResourceIndex>(provider => provider.GetRequiredService<JobFacets>());
        services.AddSingleton<IScopedDeletion>(provider => provider.GetRequiredService<JobFacets>());
        services.AddSingleton<JobStores>();
        services.AddSingleton<IScopedDeletion>(provider => provider.GetRequiredService<JobTable>());
        services.AddSingleton<JobTickets>();
        services.AddSingleton<JobPlanner>();
        services.AddSingleton<LookupSources>();
        services.AddSingleton<JobBirth>();
        services.AddSingleton<PipelineCompiler>();
        services.AddSingleton<PipelineRoot>();
        services.AddSingleton<PipelineSubmission>();
        services.AddSingleton<JobSubmission>();
        services.AddSingleton<JobUpdate>();
        services.AddSingleton<JobDeletion>();
        services.AddSingleton<JobDoors>();
        services.AddSingleton<JobDocuments>();
        services.AddSingleton<JobRepetition>();
        services.AddSingleton<FolderDifference>();
        services.AddSingleton<JobComparison>();
        services.AddSingleton<JobTrees>().AddSingleton<IRunOrigins, JobOrigins>();
        services.AddSingleton<LogFollowing>();
        services.AddSingleton<JobVariables>();
        services.AddSingleton<JobEnvironments>().AddSingleton<Preparation>().AddSingleton<MltableInputs>().AddSingleton<GangPorts>();
        services.AddSingleton<LoopProgress>();
        services.AddSingleton<StepProgress>();
        services.AddSingleton<ReuseGate>();
        services.AddSingleton<Foresight>();
        services.AddSingleton<StepDecisions>();
        services.AddSingleton<ReusedStep>();
        services.AddSingleton<DifferenceDetails>();
        services.AddSingleton<InputsKept>();
        services.AddSingleton<StepReasons>();
        services.AddHostedService<ReuseDecider>();
        services.AddSingleton<JobEnding>();
        services.AddSingleton<Transitions>();
        services.AddSingleton<PipelineLog>();
        services.AddSingleton<LoopOutputs>();
        services.AddSingleton<PipelineEnd>();
        services.AddSingleton<DiskGuard>().AddSingleton<AttemptTools>();
        services.AddSingleton<Orchestrator>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<Orchestrator>());
        services.AddSingleton<IUriScheme, JobsScheme>();
        services.AddSingleton<IRunOutputAssets, OutputAssets>();
        services.AddSingleton<YamlCheck>();
        services.AddSingleton<PipelineYaml>();
        services.AddSingleton<IYamlKind, JobYaml>();
        services.AddSingleton<IYamlKind, ComponentYaml>();
        services.AddArmResource<JobResource>();
        return services.AddForecasts();
    }

    private static IServiceCollection AddForecasts(this IServiceCollection services) => services
        .AddSingleton<ForecastSources>().AddSingleton<StepVerdicts>().AddSingleton<ForecastWalk>().AddSingleton<SubmissionForecast>()
        .AddSingleton<ForecastAnswer>().AddSingleton<JobForecasts>();

    /// <summary>Maps the routes of jobs beside the generic ones.</summary>
    public static IEndpointRouteBuilder MapJobs(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var workspace = endpoints.MapWorkspace();
        PutJob.Map(workspace);
        DeleteJob.Map(workspace);
        CancelJob.Map(workspace);
        var own = endpoints.MapWorkspace("/zaffre/v1");
        StreamLogs.Map(own);
        RerunJob.Map(own);
        DiffJobs.Map(own);
        WhyJob.Map(own);
        GetLock.Map(own);
        GetUsage.Map(own);
        ListOutputs.Map(own);
        PlanJob.Map(own);
        return endpoints;
    }
}
