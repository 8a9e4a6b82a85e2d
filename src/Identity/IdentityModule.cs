using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Database;
using Zaffre.Identity.Access;
using Zaffre.Identity.Features;
using Zaffre.Identity.Principals;
using Zaffre.Identity.Tokens;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Identity;

/// <summary>Tenant, principals, tokens, roles.</summary>
public static class IdentityModule
{
    /// <summary>Registers the authority, <see cref="IAuthenticator"/>, <see cref="IAuthorizer"/> and what other modules ask for in Contracts.</summary>
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddMigrations<RoleCatalog>();
        services.AddSingleton<OwnerSetup>();
        services.AddSingleton(provider => provider.GetRequiredService<OwnerSetup>().Ensure());
        services.AddSingleton<RoleCatalog>();
        services.AddSingleton<AccessDirectory>();
        services.AddSingleton<IAuthorizer, Authorizer>();
        services.AddSingleton<Authority>();
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<IAuthenticator, TokenValidator>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<ITokens>(provider => provider.GetRequiredService<TokenIssuer>());
        services.AddSingleton<TokenEndpoint>();
        services.AddSingleton<ITokenAccess, TokenAccess>();
        services.AddSingleton<IPrincipals, PrincipalStore>();
        services.AddSingleton<RoleAssignments>();
        services.AddSingleton<IScopedDeletion, AccessDeletion>();
        return services;
    }

    /// <summary>The authority's routes and those of roles.</summary>
    public static IEndpointRouteBuilder MapIdentity(this IEndpointRouteBuilder endpoints)
    {
        TokenEndpoint.Map(endpoints);
        AuthorityDocuments.Map(endpoints);
        CloudMetadata.Map(endpoints);
        SubscriptionRoutes.Map(endpoints);
        RoleRoutes.Map(endpoints);
        PrincipalRoutes.Map(endpoints);
        return endpoints;
    }
}
