using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Zaffre.Jobs;

/// <summary>Registers the jobs module.</summary>
public static class JobsModule
{
    /// <summary>Adds jobs, their orchestrator and their part of URI and YAML resolution.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services) => services;

    /// <summary>Maps the routes of jobs.</summary>
    public static IEndpointRouteBuilder MapJobs(this IEndpointRouteBuilder endpoints) => endpoints;
}
