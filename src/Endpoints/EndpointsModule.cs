using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Endpoints.Data;
using Zaffre.Endpoints.Features;
using Zaffre.Endpoints.Online;
using Zaffre.Endpoints.Runtime;
using Zaffre.Endpoints.Yaml;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Endpoints;

/// <summary>Online endpoints and deployments, their routing table, instances and gateway process.</summary>
public static class EndpointsModule
{
    /// <summary>Registers the module. Register <see cref="ServingOptions"/> too, or no gateway process is started.</summary>
    public static IServiceCollection AddEndpoints(this IServiceCollection services)
    {
        services.AddMigrations<OnlineEndpoint>();
        services.AddSingleton<EndpointStore>().AddSingleton<DeploymentStore>();
        services.AddArmResource<OnlineEndpoint>().AddArmResource<OnlineDeployment>();
        services.AddSingleton<DeploymentValidation>().AddSingleton<WriteDeployment>();
        services.AddSingleton<IScopedDeletion, ServingDeletion>();
        services.AddSingleton<ServingSignals>();
        services.AddSingleton<RoutingTables>().AddSingleton<MlflowModels>().AddSingleton<OnnxModels>().AddSingleton<CodelessModels>().AddSingleton<OnnxGenerations>().AddSingleton<ExtraPackages>().AddSingleton<DeploymentPlanner>().AddSingleton<DeploymentLogs>().AddSingleton<DeploymentOutcome>().AddSingleton<Instances>();
        services.AddSingleton<IYamlKind, OnlineEndpointYaml>().AddSingleton<IYamlKind, OnlineDeploymentYaml>();
        services.AddSingleton<GatewayKeeper>().AddSingleton<IHostedService>(p => p.GetRequiredService<GatewayKeeper>());
        services.AddSingleton<Deployments>().AddSingleton<IHostedService>(p => p.GetRequiredService<Deployments>());
        return services;
    }

    /// <summary>Maps the module's routes.</summary>
    public static IEndpointRouteBuilder MapEndpoints(this IEndpointRouteBuilder endpoints)
    {
        var workspace = endpoints.MapWorkspace();
        PatchEndpoint.Map(workspace);
        EndpointKeys.Map(workspace);
        WriteDeployment.Map(workspace);
        DeleteDeployment.Map(workspace);
        GetLogs.Map(workspace);
        GetMetrics.Map(endpoints, workspace);
        return endpoints;
    }
}
