namespace Zaffre.Identity;

/// <summary>
/// The owner service principal made at first start, kept with its secret in <c>keys/owner.json</c> (mode 0600) for the local CLI.
/// A singleton of the server; never log it.
/// </summary>
public sealed record LocalOwner
{
    /// <summary>The one tenant of this server (a GUID).</summary>
    public required string TenantId { get; init; }

    /// <summary>The one subscription of this server (a GUID).</summary>
    public required string SubscriptionId { get; init; }

    /// <summary>The application id, as in <c>AZURE_CLIENT_ID</c>.</summary>
    public required string ClientId { get; init; }

    /// <summary>The object id, as in role assignments.</summary>
    public required string ObjectId { get; init; }

    /// <summary>The secret, as in <c>AZURE_CLIENT_SECRET</c>.</summary>
    public required string ClientSecret { get; init; }

    /// <summary>Keeps the secret out of logs and messages.</summary>
    public override string ToString() => $"LocalOwner {{ ClientId = {ClientId} }}";
}
