using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Zaffre.Tracking;

/// <summary>Runs, metrics, params, tags and artifacts; MLflow REST; run history.</summary>
public static class TrackingModule
{
    /// <summary>Registers the module.</summary>
    public static IServiceCollection AddTracking(this IServiceCollection services) => services;

    /// <summary>Maps its routes.</summary>
    public static IEndpointRouteBuilder MapTracking(this IEndpointRouteBuilder endpoints) => endpoints;
}
