namespace Zaffre.Identity.Tokens;

/// <summary>
/// Which tenant this authority is. The tenant's names on the wire are its GUID and
/// <c>adfs</c>, which makes clients skip instance discovery.
/// </summary>
internal sealed class Authority(LocalOwner owner)
{
    public const string Adfs = "adfs";

    public string TenantId => owner.TenantId;

    public bool Knows(string tenant) =>
        tenant.Equals(TenantId, StringComparison.OrdinalIgnoreCase) || tenant.Equals(Adfs, StringComparison.OrdinalIgnoreCase);
}
