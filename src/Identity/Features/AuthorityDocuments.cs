using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Identity.Tokens;
using Zaffre.Web;

namespace Zaffre.Identity.Features;

/// <summary>OpenID configuration (v1 and v2), the signing keys, and MSAL's instance discovery.</summary>
internal static class AuthorityDocuments
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/{tenant}/v2.0/.well-known/openid-configuration", (HttpContext context, string tenant, Authority authority, TimeProvider time) =>
            Configuration(context, tenant, authority, time, "/v2.0")).Open();
        endpoints.MapGet("/{tenant}/.well-known/openid-configuration", (HttpContext context, string tenant, Authority authority, TimeProvider time) =>
            Configuration(context, tenant, authority, time, "")).Open();

        // Where the CLI looks up a tenant that is no GUID, 'adfs' too, in a cloud whose endpoint ends in adfs: it reads the GUID out of the issuer.
        endpoints.MapGet("/adfs/{tenant}/.well-known/openid-configuration", (HttpContext context, string tenant, Authority authority, TimeProvider time) =>
            Configuration(context, authority.Knows(tenant) ? authority.TenantId : tenant, authority, time, "")).Open();
        endpoints.MapGet("/{tenant}/discovery/v2.0/keys", Keys).Open();
        endpoints.MapGet("/{tenant}/discovery/keys", Keys).Open();
        endpoints.MapGet("/common/discovery/instance", Instance).Open();
    }

    private static IResult Configuration(HttpContext context, string tenant, Authority authority, TimeProvider time, string version)
    {
        if (!authority.Knows(tenant) && !IsShared(tenant))
        {
            return AuthorityError.UnknownTenant(tenant).ToResult(context, time);
        }

        var root = $"{AuthorityHost.Login(context)}/{tenant}";
        var isV1 = version.Length == 0 && !tenant.Equals(Authority.Adfs, StringComparison.OrdinalIgnoreCase);
        var oauth = isV1 ? root + "/oauth2" : root + "/oauth2/v2.0";
        return ArmResults.Ok(new JsonObject
        {
            ["issuer"] = isV1 ? AccessClaims.Issuer(authority.TenantId) : $"{AuthorityHost.Login(context)}/{(IsShared(tenant) ? authority.TenantId : tenant)}{version}",
            ["authorization_endpoint"] = oauth + "/authorize",
            ["token_endpoint"] = oauth + "/token",
            ["jwks_uri"] = root + (isV1 ? "/discovery/keys" : "/discovery/v2.0/keys"),
            ["response_modes_supported"] = Strings("query", "fragment", "form_post"),
            ["response_types_supported"] = Strings("token"),
            ["subject_types_supported"] = Strings("pairwise"),
            ["id_token_signing_alg_values_supported"] = Strings("RS256"),
            ["token_endpoint_auth_methods_supported"] = Strings("client_secret_post", "client_secret_basic"),
            ["grant_types_supported"] = Strings("client_credentials"),
            ["scopes_supported"] = Strings("openid"),
            ["claims_supported"] = Strings("sub", "iss", "aud", "exp", "iat", "nbf", "oid", "tid", "appid", "ver"),
            ["tenant_region_scope"] = null,
            ["cloud_instance_name"] = "microsoftonline.com",
        });
    }

    private static IResult Keys(HttpContext context, string tenant, Authority authority, SigningKeys keys, TimeProvider time)
    {
        if (!authority.Knows(tenant) && !IsShared(tenant))
        {
            return AuthorityError.UnknownTenant(tenant).ToResult(context, time);
        }

        var live = keys.Live.Select(JsonNode (key) => new JsonObject
        {
            ["kty"] = "RSA",
            ["use"] = "sig",
            ["alg"] = "RS256",
            ["kid"] = key.Id,
            ["n"] = key.Modulus,
            ["e"] = key.Exponent,
            ["issuer"] = AccessClaims.Issuer(authority.TenantId),
        });
        return ArmResults.Ok(new JsonObject { ["keys"] = new JsonArray([.. live]) });
    }

    /// <summary>Tells MSAL that the Azure authority and our own host are the authorities there are; any other is unknown.</summary>
    private static IResult Instance(HttpContext context, Authority authority, TimeProvider time)
    {
        var own = context.PublicUrls().Base(null);
        var asked = context.Request.Query["authorization_endpoint"].ToString();
        if (!Uri.TryCreate(asked, UriKind.Absolute, out var endpoint) || endpoint.Scheme != Uri.UriSchemeHttps)
        {
            return AuthorityError.UnknownInstance(asked).ToResult(context, time);
        }

        var tenant = endpoint.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "common";
        var azure = new[] { AuthorityHost.Azure, "login.windows.net", "login.microsoft.com", "sts.windows.net" };
        var host = endpoint.IsDefaultPort ? endpoint.Host : endpoint.Authority;
        var ownHost = new Uri(own).Authority;
        if (!azure.Contains(host, StringComparer.OrdinalIgnoreCase) && !host.Equals(ownHost, StringComparison.OrdinalIgnoreCase))
        {
            return AuthorityError.UnknownInstance(asked).ToResult(context, time);
        }

        var version = tenant.Equals(Authority.Adfs, StringComparison.OrdinalIgnoreCase) ? "" : "/v2.0";
        return ArmResults.Ok(new JsonObject
        {
            ["tenant_discovery_endpoint"] = $"https://{host}/{(authority.Knows(tenant) || IsShared(tenant) ? tenant : "common")}{version}/.well-known/openid-configuration",
            ["api-version"] = "1.1",
            ["metadata"] = new JsonArray(Aliases(AuthorityHost.Azure, "login.windows.net", azure), Aliases(ownHost, ownHost, [ownHost])),
        });
    }

    private static JsonObject Aliases(string network, string cache, string[] aliases) =>
        new() { ["preferred_network"] = network, ["preferred_cache"] = cache, ["aliases"] = Strings(aliases) };

    private static bool IsShared(string tenant) =>
        tenant.Equals("common", StringComparison.OrdinalIgnoreCase) || tenant.Equals("organizations", StringComparison.OrdinalIgnoreCase);

    private static JsonArray Strings(params string[] values) => new([.. values.Select(value => (JsonNode)value)]);
}
