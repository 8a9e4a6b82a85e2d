using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Zaffre.Identity.Access;
using Zaffre.Identity.Data;
using Zaffre.Identity.Principals;
using Zaffre.Identity.Tokens;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Identity.Features;

/// <summary>
/// The client credentials grant, v2 (<c>scope</c>) and v1 (<c>resource</c>). The client's secret comes in the form or as HTTP Basic.
/// Our own <c>zaffre_lifetime</c> asks for a lifetime of up to 12 hours.
/// </summary>
internal sealed class TokenEndpoint(Authority authority, AccessDirectory directory, TokenIssuer tokens, TimeProvider time, ILogger<TokenEndpoint> log)
{
    private const int MaximumForm = 64 * 1024;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var path in new[] { "/{tenant}/oauth2/v2.0/token", "/{tenant}/oauth2/token" })
        {
            endpoints.MapPost(path, (HttpContext context, string tenant, TokenEndpoint endpoint, CancellationToken ct) => endpoint.AnswerAsync(context, tenant, ct)).Open();
        }
    }

    private async Task<IResult> AnswerAsync(HttpContext context, string tenant, CancellationToken ct)
    {
        if (!authority.Knows(tenant))
        {
            return AuthorityError.UnknownTenant(tenant).ToResult(context, time);
        }

        var (form, error) = await ReadFormAsync(context, ct);
        TokenRequest? asked = null;
        if (form is not null)
        {
            (asked, error) = TokenRequest.Read(form, context.Request.Headers.Authorization.ToString());
        }

        if (asked is null)
        {
            return error!.ToResult(context, time);
        }

        if (Check(asked, tenant, (await directory.GetAsync(ct)).FindClient(asked.ClientId), out var principal) is { } refusal)
        {
            IdentityLog.TokenRefused(log, asked.ClientId.ReplaceLineEndings(" "), refusal.Error);
            return refusal.ToResult(context, time);
        }

        var seconds = (long)asked.Lifetime.TotalSeconds;
        var answer = new JsonObject
        {
            ["token_type"] = "Bearer",
            ["expires_in"] = asked.IsV1 ? JsonValue.Create(seconds.ToString(CultureInfo.InvariantCulture)) : JsonValue.Create(seconds),
            ["ext_expires_in"] = asked.IsV1 ? JsonValue.Create(seconds.ToString(CultureInfo.InvariantCulture)) : JsonValue.Create(seconds),
        };
        if (asked.IsV1)
        {
            var now = time.GetUtcNow().ToUnixTimeSeconds();
            answer["not_before"] = now.ToString(CultureInfo.InvariantCulture);
            answer["expires_on"] = (now + seconds).ToString(CultureInfo.InvariantCulture);
            answer["resource"] = asked.Resource;
        }

        answer["access_token"] = tokens.Issue(principal!.ObjectId, principal.ClientId, asked.Resource, asked.Lifetime);
        context.Response.Headers.CacheControl = "no-store, no-cache";
        context.Response.Headers.Pragma = "no-cache";
        return ArmResults.Ok(answer);
    }

    private static AuthorityError? Check(TokenRequest asked, string tenant, PrincipalRow? found, out PrincipalRow? principal)
    {
        principal = found;
        if (found is null)
        {
            return AuthorityError.UnknownClient(asked.ClientId, tenant);
        }

        if (!ClientSecret.Matches(asked.Secret, found.SecretSalt, found.SecretHash))
        {
            return AuthorityError.WrongSecret(asked.ClientId);
        }

        return Audiences.SurfaceOf(asked.Resource) is null ? AuthorityError.UnknownResource(asked.Resource, tenant) : null;
    }

    private static async Task<(IFormCollection? Form, AuthorityError? Error)> ReadFormAsync(HttpContext context, CancellationToken ct)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MaximumForm;
        }

        if (!(context.Request.ContentType ?? "").StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            return (null, AuthorityError.Missing("grant_type"));
        }

        try
        {
            return (await context.Request.ReadFormAsync(new FormOptions { BufferBodyLengthLimit = MaximumForm, ValueCountLimit = 64 }, ct), null);
        }
        catch (Exception exception) when (exception is InvalidDataException or BadHttpRequestException)
        {
            return (null, AuthorityError.Malformed(exception.Message));
        }
    }
}

/// <summary>A well-formed token request.</summary>
internal sealed record TokenRequest(string ClientId, string Secret, string Resource, TimeSpan Lifetime, bool IsV1)
{
    private const string DefaultScope = "/.default";

    public static (TokenRequest? Request, AuthorityError? Error) Read(IFormCollection form, string authorization)
    {
        if (form.FirstOrDefault(field => field.Value.Count > 1) is { Key: { } repeated })
        {
            return (null, AuthorityError.Repeated(repeated));
        }

        if (form["grant_type"].ToString() is not "client_credentials" and var grant)
        {
            return (null, grant.Length == 0 ? AuthorityError.Missing("grant_type") : AuthorityError.UnsupportedGrant(grant));
        }

        var (basicId, basicSecret) = Basic(authorization);
        var clientId = basicId ?? form["client_id"].ToString();
        var secret = basicSecret ?? form["client_secret"].ToString();
        if (clientId.Length == 0)
        {
            return (null, AuthorityError.Missing("client_id"));
        }

        if (secret.Length == 0)
        {
            return (null, form.ContainsKey("client_assertion") ? AuthorityError.AssertionUnsupported() : AuthorityError.MissingSecret());
        }

        var (resource, isV1, error) = ReadResource(form);
        if (error is not null)
        {
            return (null, error);
        }

        return ReadLifetime(form["zaffre_lifetime"].ToString()) is { } lifetime
            ? (new TokenRequest(clientId, secret, resource, lifetime, isV1), null)
            : (null, AuthorityError.InvalidLifetime(form["zaffre_lifetime"].ToString()));
    }

    private static (string Resource, bool IsV1, AuthorityError? Error) ReadResource(IFormCollection form)
    {
        var scope = form["scope"].ToString();
        if (scope.Length == 0)
        {
            var resource = form["resource"].ToString();
            return (resource, true, resource.Length == 0 ? AuthorityError.Missing("scope") : null);
        }

        return scope.EndsWith(DefaultScope, StringComparison.Ordinal) && !scope.Contains(' ', StringComparison.Ordinal)
            ? (scope[..^DefaultScope.Length], false, null)
            : ("", false, AuthorityError.InvalidScope(scope));
    }

    private static TimeSpan? ReadLifetime(string text)
    {
        if (text.Length == 0)
        {
            return TokenIssuer.Lifetime;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds >= 60 && seconds <= TokenIssuer.LongestLifetime.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : null;
    }

    private static (string? Id, string? Secret) Basic(string authorization)
    {
        if (!authorization.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            return (null, null);
        }

        var buffer = new byte[authorization.Length];
        if (!Convert.TryFromBase64String(authorization["Basic ".Length..].Trim(), buffer, out var length))
        {
            return ("", "");
        }

        var text = Encoding.UTF8.GetString(buffer, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? ("", "") : (WebUtility.UrlDecode(text[..colon]), WebUtility.UrlDecode(text[(colon + 1)..]));
    }
}
