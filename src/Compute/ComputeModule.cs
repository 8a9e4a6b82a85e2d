using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Zaffre.Compute;

/// <summary>Registers the module.</summary>
public static class ComputeModule
{
    /// <summary>Services of the module.</summary>
    public static IServiceCollection AddCompute(this IServiceCollection services) => services;

    /// <summary>Routes of the module.</summary>
    public static IEndpointRouteBuilder MapCompute(this IEndpointRouteBuilder endpoints) => endpoints;
}
