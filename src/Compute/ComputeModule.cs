using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Zaffre.Assets;
using Zaffre.Compute.Computes;
using Zaffre.Compute.Containers;
using Zaffre.Compute.Environments;
using Zaffre.Compute.Environments.Features;
using Zaffre.Compute.Launch;
using Zaffre.Compute.Operator;
using Zaffre.Compute.Staging;
using Zaffre.Compute.Yaml;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Compute;

/// <summary>Compute resources, and tasks: launching, staging, environments made real.</summary>
public static class ComputeModule
{
    /// <summary>Registers the module; register <see cref="ComputeOptions"/> before to change its defaults.</summary>
    public static IServiceCollection AddCompute(this IServiceCollection services)
    {
        services.TryAddSingleton(new ComputeOptions());
        services.AddSingleton<ITaskAdmission, TaskAdmission>();
        services.AddSingleton(_ => ControlGroups.OfHost());
        services.AddSingleton<GpuProgram>().AddSingleton<HostGpus>().AddSingleton<IGpus>(provider => provider.GetRequiredService<HostGpus>());
        services.AddSingleton<WarmPool>().AddSingleton<TaskTrash>().AddSingleton<ITaskLauncher, TaskLauncher>();
        services.AddSingleton<RemoteInputs>().AddSingleton<IStaging, TaskStaging>();
        services.AddSingleton<HostInterpreter>().AddSingleton<EnvironmentCache>().AddSingleton<VirtualEnvironments>();
        services.AddSingleton<ImageStore>().AddSingleton<BuildContexts>().AddSingleton<ContainerEnvironments>();
        services.AddSingleton<EnvironmentResolver>().AddSingleton<IEnvironments>(p => p.GetRequiredService<EnvironmentResolver>()).AddSingleton<IEnvironmentForecasts, EnvironmentForecasts>();
        services.AddSingleton<ComputeFile>().AddSingleton<ComputeSizes>().AddSingleton<PipSettings>(p => new PipSettings(p.GetRequiredService<DataDirectory>()));
        services.AddSingleton<IEnvironmentStates, EnvironmentStates>().AddSingleton<BuildEnvironment>().AddSingleton<ReadBuildLog>().AddSingleton<RequestedBuilds>().AddHostedService(p => p.GetRequiredService<RequestedBuilds>());
        services.AddSingleton<InstanceStates>().AddSingleton<ComputeChanges>();
        services.AddSingleton<IYamlKind, ComputeYaml>();
        services.AddArmResource<ComputeResource>().AddSingleton<IWorkspaceSeed, ComputeSeed>();
        services.AddSingleton<IPrices, Prices>();
        services.AddSingleton<ComputeTargets>().AddSingleton<IComputes>(provider => provider.GetRequiredService<ComputeTargets>());
        return services;
    }

    /// <summary>Maps the routes that are not generic.</summary>
    public static IEndpointRouteBuilder MapCompute(this IEndpointRouteBuilder endpoints)
    {
        var workspace = endpoints.MapWorkspace();
        MoveInstance.Map(workspace);
        ListNodes.Map(workspace);
        ChangeCompute.Map(workspace);
        LocationRoutes.Map(endpoints);
        BuildEnvironment.Map(endpoints.MapWorkspace("/zaffre/v1"));
        ReadBuildLog.Map(endpoints.MapWorkspace("/zaffre/v1"));
        BuiltEnvironments.Map(endpoints);
        return endpoints;
    }
}
