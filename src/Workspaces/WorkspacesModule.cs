using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Database;
using Zaffre.Resources;

namespace Zaffre.Workspaces;

/// <summary>Workspaces, their datastores, and discovery.</summary>
public static class WorkspacesModule
{
    /// <summary>Registers the module; workspace <c>main</c> is made when the server starts.</summary>
    public static IServiceCollection AddWorkspaces(this IServiceCollection services)
    {
        services.AddMigrations<WorkspaceStore>();
        services.AddSingleton<WorkspaceRows>().AddSingleton<IScopedDeletion>(provider => provider.GetRequiredService<WorkspaceRows>());
        services.AddSingleton<DatastoreSecrets>().AddSingleton<IScopedDeletion>(provider => provider.GetRequiredService<DatastoreSecrets>());
        services.AddSingleton<WorkspaceStore>().AddSingleton<IWorkspaces>(provider => provider.GetRequiredService<WorkspaceStore>());
        services.AddSingleton<IDatastores, DatastoreLocations>();
        services.AddArmResource<Datastore>();
        services.AddHostedService<DefaultGroup>();
        services.AddHostedService<DefaultWorkspace>();
        return services;
    }

    /// <summary>Maps the routes that are not generic.</summary>
    public static IEndpointRouteBuilder MapWorkspaces(this IEndpointRouteBuilder endpoints)
    {
        ResourceGroupRoutes.Map(endpoints);
        ProviderRoutes.Map(endpoints);
        WorkspaceRoutes.Map(endpoints);
        GetDiscovery.Map(endpoints);
        ListDatastoreSecrets.Map(endpoints);
        return endpoints;
    }
}
