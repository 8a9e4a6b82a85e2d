using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Resources;
using Zaffre.Tracking.Artifacts;
using Zaffre.Tracking.Compare;
using Zaffre.Tracking.Compare.Features;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Features;
using Zaffre.Tracking.History;
using Zaffre.Tracking.Import;
using Zaffre.Tracking.Live;
using Zaffre.Tracking.Live.Features;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Mlflow.Features;
using Zaffre.Tracking.Mlflow.Features.LoggedModels;
using Zaffre.Tracking.Mlflow.Features.Registry;
using Zaffre.Tracking.Mlflow.Features.Traces;
using Zaffre.Tracking.Registry;
using Zaffre.Tracking.Search;
using Zaffre.Tracking.Search.Text;
using Zaffre.Tracking.Tables;
using Zaffre.Tracking.Tables.Features;
using Zaffre.Tracking.Traces;
using Zaffre.Web;

namespace Zaffre.Tracking;

/// <summary>Runs, metrics, params, tags and artifacts; MLflow REST; run history.</summary>
public static class TrackingModule
{
    /// <summary>Registers the module.</summary>
    public static IServiceCollection AddTracking(this IServiceCollection services)
    {
        services.AddMigrations<WorkspaceKeys>();
        services.AddSingleton(new SqlFunction("regexp", Patterns.Regexp)).AddSingleton(new SqlFunction("ilike", Patterns.ILike)).AddSingleton(new SqlFunction("span_attribute", SpanAttributes.Find));
        services.AddSingleton<WorkspaceKeys>();
        services.AddSingleton<RunStore>();
        services.AddSingleton<IRuns>(provider => provider.GetRequiredService<RunStore>());
        services.AddSingleton<ExperimentStore>();
        services.AddSingleton<IExperiments>(provider => provider.GetRequiredService<ExperimentStore>());
        services.AddSingleton<IUriScheme, RunsScheme>();
        services.AddSingleton<MetricStore>();
        services.AddSingleton<IRunMetrics, RunMetrics>();
        services.AddSingleton<ArtifactStore>();
        services.AddSingleton<StreamedStatus>();
        services.AddSingleton<IScopedDeletion, RunDeletion>();
        services.AddSingleton<RegistryIndex>();
        services.AddSingleton<IResourceIndex>(provider => provider.GetRequiredService<RegistryIndex>());
        services.AddSingleton<IScopedDeletion>(provider => provider.GetRequiredService<RegistryIndex>());
        services.AddSingleton<IUriScheme, RegistryScheme>().AddSingleton<IUriScheme, MlflowArtifactsScheme>();
        services.AddSingleton<RegistryAccess>().AddSingleton<ModelSources>().AddSingleton<ArtifactPlaces>();
        services.AddSingleton<LoggedModelStore>().AddSingleton<LoggedModelAccess>().AddSingleton<TraceAccess>();
        services.AddSingleton<IUriScheme, ArtifactScheme>();
        services.AddSingleton<ArtifactContainers>().AddSingleton<ArtifactAnswers>().AddSingleton<MetricService>();
        services.AddSingleton<LargeBodies>().AddSingleton<ArtifactTickets>().AddSingleton<ArtifactUploads>();
        services.AddSingleton<RunTextIndex>().AddSingleton<IHostedService, RunTextIndexer>();
        services.AddSingleton<RunAccess>();
        services.AddSingleton<ExperimentAccess>().AddSingleton<ImportStores>();
        services.TryAddSingleton<FeedOptions>();
        services.AddSingleton<RunFeed>();
        services.AddSingleton<ICommitListener>(provider => provider.GetRequiredService<RunFeed>());
        services.AddSingleton<FeedBacklog>().AddSingleton<FeedHost>().AddSingleton<LogFolders>().AddSingleton<EventStreams>();
        services.AddSingleton<ArtifactComparison>().AddSingleton<OriginComparison>().AddSingleton<RunComparison>().AddSingleton<ArtifactTables>();
        return services.AddExperiments().AddRuns().AddArtifacts().AddRegistry().AddLoggedModels().AddTraces();
    }

    /// <summary>Maps its routes.</summary>
    public static IEndpointRouteBuilder MapTracking(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/health", () => Results.Text("OK")).Anonymous();
        MlflowRoutes.Map(endpoints);
        SignedArtifacts.Map(endpoints);
        RunHistoryRoutes.Map(endpoints);
        ArtifactRoutes.Map(endpoints);
        ArtifactServiceRoutes.Map(endpoints);
        MetricRoutes.Map(endpoints);
        RunTokenRoutes.Map(endpoints);
        RunPropertyRoutes.Map(endpoints);
        ImportRoutes.Map(endpoints);
        StreamEvents.Map(endpoints);
        CompareRuns.Map(endpoints.MapWorkspace("/zaffre/v1"));
        GetTable.Map(endpoints.MapWorkspace("/zaffre/v1"));
        FindRuns.Map(endpoints);
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
        .AddSingleton<MlflowOperation, GetMetricHistoryBulk>()
        .AddSingleton<MlflowOperation, GetMetricHistoryInterval>()
        .AddSingleton<MlflowOperation, LogInputs>()
        .AddSingleton<MlflowOperation, LogOutputs>()
        .AddSingleton<MlflowOperation, SearchDatasets>()
        .AddSingleton<MlflowOperation, GetServerInfo>()
        .AddSingleton<MlflowOperation, GetVersion>()
        .AddSingleton<MlflowOperation, Refused>();

    private static IServiceCollection AddArtifacts(this IServiceCollection services) => services
        .AddSingleton<MlflowOperation, ListArtifacts>()
        .AddSingleton<MlflowOperation, PutArtifact>()
        .AddSingleton<MlflowOperation, GetArtifact>()
        .AddSingleton<MlflowOperation, DeleteArtifact>()
        .AddSingleton<MlflowOperation, UploadArtifact>()
        .AddSingleton<MlflowOperation, GetNamedArtifact>()
        .AddSingleton<MlflowOperation, CreateUpload>()
        .AddSingleton<MlflowOperation, CompleteUpload>()
        .AddSingleton<MlflowOperation, AbortUpload>()
        .AddSingleton<MlflowOperation, PresignDownload>()
        .AddSingleton<MlflowOperation, PresignUpload>();

    private static IServiceCollection AddRegistry(this IServiceCollection services) => services
        .AddSingleton<MlflowOperation, CreateRegisteredModel>()
        .AddSingleton<MlflowOperation, GetRegisteredModel>()
        .AddSingleton<MlflowOperation, UpdateRegisteredModel>()
        .AddSingleton<MlflowOperation, RenameRegisteredModel>()
        .AddSingleton<MlflowOperation, DeleteRegisteredModel>()
        .AddSingleton<MlflowOperation, SearchRegisteredModels>()
        .AddSingleton<MlflowOperation, GetLatestVersions>()
        .AddSingleton<MlflowOperation, SetRegisteredModelTag>()
        .AddSingleton<MlflowOperation, DeleteRegisteredModelTag>()
        .AddSingleton<MlflowOperation, SetAlias>()
        .AddSingleton<MlflowOperation, DeleteAlias>()
        .AddSingleton<MlflowOperation, GetByAlias>()
        .AddSingleton<MlflowOperation, CreateModelVersion>()
        .AddSingleton<MlflowOperation, GetModelVersion>()
        .AddSingleton<MlflowOperation, UpdateModelVersion>()
        .AddSingleton<MlflowOperation, TransitionModelVersionStage>()
        .AddSingleton<MlflowOperation, DeleteModelVersion>()
        .AddSingleton<MlflowOperation, SearchModelVersions>()
        .AddSingleton<MlflowOperation, GetDownloadUri>()
        .AddSingleton<MlflowOperation, SetModelVersionTag>()
        .AddSingleton<MlflowOperation, DeleteModelVersionTag>();

    private static IServiceCollection AddLoggedModels(this IServiceCollection services) => services
        .AddSingleton<MlflowOperation, CreateLoggedModel>()
        .AddSingleton<MlflowOperation, GetLoggedModel>()
        .AddSingleton<MlflowOperation, FinalizeLoggedModel>()
        .AddSingleton<MlflowOperation, DeleteLoggedModel>()
        .AddSingleton<MlflowOperation, SearchLoggedModels>()
        .AddSingleton<MlflowOperation, SetLoggedModelTags>()
        .AddSingleton<MlflowOperation, DeleteLoggedModelTag>()
        .AddSingleton<MlflowOperation, LogLoggedModelParams>()
        .AddSingleton<MlflowOperation, ListLoggedModelFiles>()
        .AddSingleton<MlflowOperation, GetLoggedModelFile>();

    private static IServiceCollection AddTraces(this IServiceCollection services) => services
        .AddSingleton<MlflowOperation, StartTrace>()
        .AddSingleton<MlflowOperation, StartTraceV2>()
        .AddSingleton<MlflowOperation, EndTraceV2>()
        .AddSingleton<MlflowOperation, GetTraceInfoV2>()
        .AddSingleton<MlflowOperation, GetTrace>()
        .AddSingleton<MlflowOperation, BatchGetTraces>()
        .AddSingleton<MlflowOperation, SearchTraces>()
        .AddSingleton<MlflowOperation, QueryTraceMetrics>()
        .AddSingleton<MlflowOperation, CorrelateTraceFilters>()
        .AddSingleton<MlflowOperation, GetTraceArtifact>()
        .AddSingleton<MlflowOperation, SetTraceTag>()
        .AddSingleton<MlflowOperation, DeleteTraceTag>()
        .AddSingleton<MlflowOperation, DeleteTraces>()
        .AddSingleton<MlflowOperation, LinkTracesToRun>()
        .AddSingleton<MlflowOperation, LinkPromptsToTrace>()
        .AddSingleton<MlflowOperation, CreateAssessment>()
        .AddSingleton<MlflowOperation, GetAssessment>()
        .AddSingleton<MlflowOperation, UpdateAssessment>()
        .AddSingleton<MlflowOperation, DeleteAssessment>()
        .AddSingleton<MlflowOperation, IngestSpans>();
}
