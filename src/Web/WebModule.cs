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
        app.Use(OneSlash);
        app.UseRouting();
        app.UseMiddleware<AccessMiddleware>();
    }

    // The Azure CLI joins a provider and a type with two slashes where the type has no parent.
    private static Task OneSlash(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is { } path && path.StartsWith("/subscriptions/", StringComparison.OrdinalIgnoreCase) && path.Contains("//", StringComparison.Ordinal))
        {
            context.Request.Path = string.Join('/', path.Split('/').Where((part, index) => index == 0 || part.Length > 0));
        }

        return next(context);
    }

    /// <summary>The routes of long-running operations.</summary>
    public static void MapWeb(this IEndpointRouteBuilder endpoints) => GetOperation.Map(endpoints);
}
