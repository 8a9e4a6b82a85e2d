using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Resources;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.History;
using Zaffre.Tracking.Mlflow.Features;
using Zaffre.Tracking.Mlflow;

namespace Zaffre.Tracking;

/// <summary>Runs, metrics, params, tags and artifacts; MLflow REST; run history.</summary>
public static class TrackingModule
{
    /// <summary>Registers the module.</summary>
    public static IServiceCollection AddTracking(this IServiceCollection services)
    {
        services.AddMigrations<WorkspaceKeys>();
        services.AddSingleton<WorkspaceKeys>();
        services.AddSingleton<RunStore>();
        services.AddSingleton<IRuns>(provider => provider.GetRequiredService<RunStore>());
        services.AddSingleton<IExperiments, ExperimentStore>();
        services.AddSingleton<IUriScheme, RunsScheme>();
        services.AddSingleton<MetricStore>();
        services.AddSingleton<ArtifactStore>();
        services.AddSingleton<StreamedStatus>();
        services.AddSingleton<IScopedDeletion, RunDeletion>();
        services.AddSingleton<RunAccess>();
        services.AddSingleton<ExperimentAccess>();
        return services.AddExperiments().AddRuns().AddArtifacts();
    }

    /// <summary>Maps its routes.</summary>
    public static IEndpointRouteBuilder MapTracking(this IEndpointRouteBuilder endpoints)
    {
        MlflowRoutes.Map(endpoints);
        RunHistoryRoutes.Map(endpoints);
        return endpoints;
    }

    private static IServiceCollection AddExperiments(this IServiceCollection services) => services
        .AddSingleton<MlflowOperation, GetExperiment>()
        .AddSingleton<MlflowOperation, SearchExperiments>()
        .AddSingleton<MlflowOperation, CreateExperiment>()
        .AddSingleton<MlflowOperation, UpdateExperiment>()
        .AddSingleton<MlflowOperation, DeleteExperiment>()
        .AddSingleton<MlflowOperation, RestoreExperiment>()
        .AddSingleton<MlflowOperation, SetExperimentTag>()
        .AddSingleton<MlflowOperation, DeleteExperimentTag>();

    private static IServiceCollection AddRuns(this IServiceCollection services) => services
        .AddSingleton<MlflowOperation, CreateRun>()
        .AddSingleton<MlflowOperation, GetRun>()
        .AddSingleton<MlflowOperation, SearchRuns>()
        .AddSingleton<MlflowOperation, UpdateRun>()
        .AddSingleton<MlflowOperation, DeleteRun>()
        .AddSingleton<MlflowOperation, RestoreRun>()
        .AddSingleton<MlflowOperation, LogMetric>()
        .AddSingleton<MlflowOperation, LogParam>()
        .AddSingleton<MlflowOperation, LogBatch>()
        .AddSingleton<MlflowOperation, SetTag>()
        .AddSingleton<MlflowOperation, DeleteTag>()
        .AddSingleton<MlflowOperation, LogModel>()
        .AddSingleton<MlflowOperation, GetMetricHistory>()
        .AddSingleton<MlflowOperation, GetServerInfo>()
        .AddSingleton<MlflowOperation, Refused>();

    private static IServiceCollection AddArtifacts(this IServiceCollection services) => services
        .AddSingleton<MlflowOperation, ListArtifacts>()
        .AddSingleton<MlflowOperation, PutArtifact>()
        .AddSingleton<MlflowOperation, GetArtifact>()
        .AddSingleton<MlflowOperation, DeleteArtifact>();
}
