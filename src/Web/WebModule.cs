using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Zaffre.Database;

namespace Zaffre.Web;

/// <summary>The ARM plumbing: errors, access, operations, absolute URLs.</summary>
public static class WebModule
{
    /// <summary>Registers what every route needs.</summary>
    public static IServiceCollection AddWeb(this IServiceCollection services)
    {
        services.AddMigrations<OperationStore>();
        services.TryAddSingleton<ServerAddress>();
        services.AddSingleton<IPublicUrls, HostUrls>();
        services.AddSingleton<OperationStore>();
        services.AddSingleton<IOperations>(provider => provider.GetRequiredService<OperationStore>());
        return services;
    }

    /// <summary>
    /// The middleware of every request, in order: request id and failures, routing, access. Unknown routes name themselves.
    /// </summary>
    public static void UseWeb(this IApplicationBuilder app)
    {
        app.UseMiddleware<ExceptionMiddleware>();
        app.Use(async (context, next) =>
        {
            await next(context);
            await UnknownRoute.AnswerAsync(context);
        });
        app.UseRouting();
        app.UseMiddleware<AccessMiddleware>();
    }

    /// <summary>The routes of long-running operations.</summary>
    public static void MapWeb(this IEndpointRouteBuilder endpoints) => GetOperation.Map(endpoints);
}
