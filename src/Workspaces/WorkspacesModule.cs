using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Database;
using Zaffre.Resources;

namespace Zaffre.Workspaces;

/// <summary>Resource groups and what lies in them: workspaces with their datastores and connections, storage accounts, deployments; discovery.</summary>
public static class WorkspacesModule
{
    /// <summary>Registers the module; workspace <c>main</c> is made when the server starts.</summary>
    public static IServiceCollection AddWorkspaces(this IServiceCollection services)
    {
        services.AddMigrations<WorkspaceStore>();
        services.AddSingleton<WorkspaceRows>().AddSingleton<IScopedDeletion>(provider => provider.GetRequiredService<WorkspaceRows>());
        services.AddSingleton<ResourceSecrets>().AddSingleton<IScopedDeletion>(provider => provider.GetRequiredService<ResourceSecrets>());
        services.AddSingleton<WorkspaceStore>().AddSingleton<IWorkspaces>(provider => provider.GetRequiredService<WorkspaceStore>());
        services.AddSingleton<IDatastores, DatastoreLocations>();
        services.AddSingleton<PutWorkspace>().AddSingleton<Deployments>();
        services.AddArmResource<Datastore>().AddArmResource<Connection>();
        services.AddHostedService<DefaultGroup>();
        services.AddHostedService<DefaultWorkspace>();
        return services;
    }

    /// <summary>Maps the routes that are not generic.</summary>
    public static IEndpointRouteBuilder MapWorkspaces(this IEndpointRouteBuilder endpoints)
    {
        ResourceGroupRoutes.Map(endpoints);
        ProviderRoutes.Map(endpoints);
        ResourceListRoutes.Map(endpoints);
        StorageAccountRoutes.Map(endpoints);
        DependentResources.Map(endpoints);
        DeploymentRoutes.Map(endpoints);
        WorkspaceRoutes.Map(endpoints);
        WorkspaceActions.Map(endpoints);
        ListConnectionSecrets.Map(endpoints);
        GetDiscovery.Map(endpoints);
        ListDatastoreSecrets.Map(endpoints);
        return endpoints;
    }
}
