using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Zaffre.Identity.Access;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Identity.Tokens;

/// <summary>
/// Strict validation of bearer tokens. Signature and shape of a token are checked once and remembered; clock, audience,
/// principal and the job's state are checked on every request. The token of a job is valid as long as the server keeps its row, whatever the clock says and
/// however often the signing key was rolled since: nobody can give a running job another one.
/// </summary>
internal sealed class TokenValidator(SigningKeys keys, AccessDirectory directory, Authority authority, TimeProvider time) : IAuthenticator
{
    /// <summary>How far the clocks of two machines may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    private const int RememberedTokens = 4096;

    private readonly ConcurrentDictionary<string, (string Kid, AccessClaims Claims)> remembered = new(StringComparer.Ordinal);

    public async Task<Outcome<Caller>> AuthenticateAsync(string bearer, Surface surface, CancellationToken ct)
    {
        var checkedClaims = Remember(bearer);
        if (!checkedClaims.TryGet(out var claims, out var problem) || (problem = CheckUse(claims, surface)) is not null)
        {
            return problem;
        }

        if (claims.Job is { } job)
        {
            return await directory.IsLiveAsync(new ArmId(job).Key, claims.TokenId, ct)
                ? JobCaller(claims, new ArmId(job))
                : TokenProblems.Invalid("its job has ended");
        }

        return (await directory.GetAsync(ct)).FindObject(claims.ObjectId) is { } principal
            ? new Caller(principal.ObjectId, principal.Name, "Application", authority.TenantId) { AppId = principal.ClientId }
            : TokenProblems.Invalid("its principal no longer exists");
    }

    private Outcome<AccessClaims> Remember(string bearer)
    {
        if (remembered.TryGetValue(bearer, out var known) && Verifies(known.Kid, known.Claims))
        {
            return known.Claims;
        }

        using var document = Jwt.Read(bearer, keys, out var kid, out var reason);
        if (document is null)
        {
            return TokenProblems.Invalid(reason!);
        }

        var claims = AccessClaims.Parse(document.RootElement, authority.TenantId);
        if (claims.Succeeded)
        {
            if (!Verifies(kid!, claims.Value))
            {
                return TokenProblems.Invalid("its signing key is unknown");
            }

            if (remembered.Count >= RememberedTokens)
            {
                remembered.Clear();
            }

            remembered[bearer] = (kid!, claims.Value);
        }

        return claims;
    }

    private bool Verifies(string kid, AccessClaims claims) => claims.Job is null ? keys.IsLive(kid) : keys.Find(kid) is not null;

    private Problem? CheckUse(AccessClaims claims, Surface surface)
    {
        // A job's token begins and ends with its row: neither a clock that is set while the job runs nor a long job may shut it out.
        var now = time.GetUtcNow();
        if (claims.Job is null && claims.Expires <= (now - Skew).ToUnixTimeSeconds())
        {
            return TokenProblems.Expired(Time(claims.Expires), now);
        }

        if (claims.Job is null && claims.NotBefore > (now + Skew).ToUnixTimeSeconds())
        {
            return TokenProblems.Invalid($"it is not valid before {Time(claims.NotBefore):u}");
        }

        return Audiences.SurfaceOf(claims.Audience) == surface
            ? null
            : TokenProblems.Audience(claims.Audience, surface == Surface.Storage ? "https://storage.azure.com" : "https://management.azure.com");
    }

    private static DateTimeOffset Time(long seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds()));

    private Caller JobCaller(AccessClaims claims, ArmId job) =>
        new(claims.ObjectId, job.Name, "Application", authority.TenantId) { Job = job };

    /// <summary>A stable object id for a job, in the shape of a GUID.</summary>
    public static string ObjectIdOf(ArmId job) => new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(job.Key)).AsSpan(0, 16)).ToString();
}
