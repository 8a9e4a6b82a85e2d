using Zaffre.Database;
using Zaffre.Identity.Data;
using Zaffre.Web;

namespace Zaffre.Identity.Tokens;

/// <summary>Signs access tokens: for principals through the token endpoint, for jobs through <see cref="ITokens"/>.</summary>
internal sealed class TokenIssuer(SigningKeys keys, Authority authority, IDatabase database, TimeProvider time) : ITokens
{
    /// <summary>The lifetime of an ordinary access token.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>The longest lifetime that a client may ask for; what <c>zaffre env</c> hands out.</summary>
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromHours(12);

    /// <summary>A job's token ends with its job, whatever this claim says: clients read it, and refresh what is about to expire.</summary>
    private static readonly TimeSpan JobLifetime = TimeSpan.FromDays(365);

    /// <summary>An access token of a principal for one resource.</summary>
    public string Issue(string objectId, string clientId, string audience, TimeSpan lifetime)
    {
        var now = time.GetUtcNow();
        return Sign(new AccessClaims
        {
            Audience = audience,
            ObjectId = objectId,
            ClientId = clientId,
            TokenId = Guid.NewGuid().ToString("N"),
            NotBefore = now.ToUnixTimeSeconds(),
            Expires = (now + lifetime).ToUnixTimeSeconds(),
        });
    }

    public Task<string> IssueForJobAsync(ArmId job, CancellationToken ct) => database.WriteAsync(scope => IssueForJob(scope, job), ct);

    public string IssueForJob(WriteScope scope, ArmId job)
    {
        var claims = new AccessClaims
        {
            Audience = "https://management.azure.com",
            ObjectId = TokenValidator.ObjectIdOf(job),
            TokenId = Guid.NewGuid().ToString("N"),
            Job = job.Value,
            NotBefore = scope.Now.ToUnixTimeSeconds(),
            Expires = (scope.Now + JobLifetime).ToUnixTimeSeconds(),
        };
        JobTokenRows.Put(scope, new JobTokenRow { JobKey = job.Key, TokenId = claims.TokenId, IssuedAt = scope.Now.ToUnixTimeMilliseconds() });
        return Sign(claims);
    }

    public DateTimeOffset? ExpiryOf(string token)
    {
        using var claims = Jwt.Read(token, keys, out _, out _);
        return claims?.RootElement.TryGetProperty("exp", out var ends) == true && ends.TryGetInt64(out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
    }

    public void RevokeJob(WriteScope scope, ArmId job) => JobTokenRows.Delete(scope, job.Key);

    private string Sign(AccessClaims claims) => Jwt.Write(claims.ToJson(authority.TenantId), keys.Current);
}
