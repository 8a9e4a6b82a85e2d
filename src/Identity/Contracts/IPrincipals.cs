namespace Zaffre.Identity;

/// <summary>A service principal of the tenant, without its secret.</summary>
public sealed record Principal(string ObjectId, string ClientId, string Name, DateTimeOffset CreatedAt);

/// <summary>A principal at the one moment its secret is known; only a hash is kept.</summary>
public sealed record CreatedPrincipal(Principal Principal, string ClientSecret);

/// <summary>The service principals of the tenant. Thread safe.</summary>
public interface IPrincipals
{
    /// <summary>Creates a principal with a fresh secret and no role at all. <paramref name="actor"/> goes to the event log.</summary>
    Task<CreatedPrincipal> CreateAsync(string name, string actor, CancellationToken ct);

    /// <summary>The principal with this object id or client id, or null.</summary>
    Task<Principal?> FindAsync(string id, CancellationToken ct);

    /// <summary>Every principal, oldest first.</summary>
    Task<IReadOnlyList<Principal>> ListAsync(CancellationToken ct);

    /// <summary>Deletes the principal and its role assignments; its tokens are refused from then on. False when there was none. The local owner cannot be deleted.</summary>
    Task<bool> DeleteAsync(string id, string actor, CancellationToken ct);
}
