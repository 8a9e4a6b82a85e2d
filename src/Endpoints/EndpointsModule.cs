using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Zaffre.Endpoints;

/// <summary>Online endpoints and deployments, their routing table, instances and gateway process.</summary>
public static class EndpointsModule
{
    /// <summary>Registers the module. Register <see cref="ServingOptions"/> too, or no gateway process is started.</summary>
    public static IServiceCollection AddEndpoints(this IServiceCollection services) => services;

    /// <summary>Maps the module's routes.</summary>
    public static IEndpointRouteBuilder MapEndpoints(this IEndpointRouteBuilder endpoints) => endpoints;
}
