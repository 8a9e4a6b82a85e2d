using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Identity.Tokens;

/// <summary>The claims of our access tokens, checked for presence and kind but not yet against the clock or a surface.</summary>
internal sealed record AccessClaims
{
    public required string Audience { get; init; }

    public required string ObjectId { get; init; }

    public required string TokenId { get; init; }

    public string? ClientId { get; init; }

    /// <summary>The resource id of the job whose token this is.</summary>
    public string? Job { get; init; }

    public required long NotBefore { get; init; }

    public required long Expires { get; init; }

    /// <summary>The issuer of every access token, whichever host the client asked; it never changes with a port.</summary>
    public static string Issuer(string tenantId) => $"https://sts.windows.net/{tenantId}/";

    public JsonObject ToJson(string tenantId)
    {
        var claims = new JsonObject
        {
            ["aud"] = Audience,
            ["iss"] = Issuer(tenantId),
            ["iat"] = NotBefore,
            ["nbf"] = NotBefore,
            ["exp"] = Expires,
            ["appidacr"] = "1",
            ["idp"] = Issuer(tenantId),
            ["idtyp"] = "app",
            ["oid"] = ObjectId,
            ["sub"] = ObjectId,
            ["tid"] = tenantId,
            ["uti"] = TokenId,
            ["ver"] = "1.0",
        };
        if (ClientId is not null)
        {
            claims["appid"] = ClientId;
        }

        if (Job is not null)
        {
            claims["zaffre_job"] = Job;
        }

        return claims;
    }

    public static Outcome<AccessClaims> Parse(JsonElement claims, string tenantId)
    {
        if (claims.TextOrNull("iss") != Issuer(tenantId) || claims.TextOrNull("tid") != tenantId)
        {
            return TokenProblems.Invalid("it was issued by another authority");
        }

        if (claims.TextOrNull("aud") is not { } audience
            || claims.TextOrNull("oid") is not { } objectId
            || claims.TextOrNull("uti") is not { } tokenId
            || claims.SecondsOrNull("nbf") is not { } notBefore
            || claims.SecondsOrNull("exp") is not { } expires)
        {
            return TokenProblems.Invalid("a claim is missing or has a wrong type (aud, oid, uti, nbf and exp are needed)");
        }

        return new AccessClaims
        {
            Audience = audience,
            ObjectId = objectId,
            TokenId = tokenId,
            ClientId = claims.TextOrNull("appid"),
            Job = claims.TextOrNull("zaffre_job"),
            NotBefore = notBefore,
            Expires = expires,
        };
    }
}

/// <summary>Why a bearer token is refused.</summary>
internal static class TokenProblems
{
    public static Problem Invalid(string why) =>
        new(ProblemKind.Unauthenticated, "InvalidAuthenticationToken", $"The access token is invalid: {why}.");

    public static Problem Expired(DateTimeOffset expired, DateTimeOffset now) =>
        new(ProblemKind.Unauthenticated, "ExpiredAuthenticationToken", $"The access token expiry UTC time '{expired:u}' is earlier than current UTC time '{now:u}'.");

    public static Problem Audience(string audience, string expected) =>
        new(
            ProblemKind.Unauthenticated,
            "InvalidAuthenticationTokenAudience",
            $"The access token has been obtained for the wrong audience or resource '{audience}'. It should be '{expected}'.");
}
