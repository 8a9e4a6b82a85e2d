using System.Text.Json;
using Zaffre.Kernel;

namespace Zaffre.Identity.Principals;

/// <summary><c>keys/owner.json</c> (0600): the local owner with its secret, read by the CLI of the same user.</summary>
internal sealed record OwnerFile(string TenantId, string SubscriptionId, string ClientId, string ObjectId, string ClientSecret)
{
    public static OwnerFile? Read(DataDirectory data)
    {
        var path = data.Path("keys", "owner.json");
        return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), IdentityJson.Default.OwnerFile) : null;
    }

    public void Write(DataDirectory data) =>
        PrivateFile.Write(data.Path("keys", "owner.json"), JsonSerializer.SerializeToUtf8Bytes(this, IdentityJson.Default.OwnerFile));

    public LocalOwner ToOwner() => new()
    {
        TenantId = TenantId,
        SubscriptionId = SubscriptionId,
        ClientId = ClientId,
        ObjectId = ObjectId,
        ClientSecret = ClientSecret,
    };
}
