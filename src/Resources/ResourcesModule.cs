using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Resources;

/// <summary>The document store and the generic routes of every registered <see cref="ArmResource"/>.</summary>
public static class ResourcesModule
{
    /// <summary>Registers the store.</summary>
    public static IServiceCollection AddResources(this IServiceCollection services)
    {
        services.AddMigrations<ResourceStore>();
        services.AddSingleton<ResourceStore>();
        services.AddSingleton<IResources>(provider => provider.GetRequiredService<ResourceStore>());
        services.AddSingleton<IScopes>(provider => provider.GetRequiredService<ResourceStore>());
        return services;
    }

    /// <summary>Maps GET, list, PUT and DELETE of every registered resource type.</summary>
    public static void MapResources(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var workspace = endpoints.MapWorkspace();
        foreach (var type in endpoints.ServiceProvider.GetServices<ArmResource>())
        {
            new ResourceRoutes(type, endpoints.ServiceProvider.GetRequiredService<IResources>(), endpoints.ServiceProvider.GetRequiredService<IDatabase>(), endpoints.ServiceProvider.GetRequiredService<IOperations>()).Map(workspace);
        }
    }
}
