using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Endpoints;
using Zaffre.Identity;
using Zaffre.Jobs;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Server;

/// <summary>Which modules make the server: one line each to register, one to map. Floors from low to high, as migrations run.</summary>
internal static class Composition
{
    public static IServiceCollection AddZaffre(this IServiceCollection services, DataDirectory data)
    {
        services.AddSingleton(data);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ISecretBox, SecretBox>();
        services.AddDatabase();
        services.AddWeb();
        services.AddResources();
        services.AddIdentity();
        services.AddStorage();
        services.AddWorkspaces();
        services.AddAssets();
        services.AddTracking();
        services.AddCompute();
        services.AddJobs();
        services.AddEndpoints();
        return services;
    }

    public static void UseZaffre(this WebApplication app)
    {
        app.UseWeb();
        app.MapWeb();
        app.MapResources();
        app.MapIdentity();
        app.MapWorkspaces();
        app.MapAssets();
        app.MapTracking();
        app.MapCompute();
        app.MapJobs();
        app.MapEndpoints();
    }
}
