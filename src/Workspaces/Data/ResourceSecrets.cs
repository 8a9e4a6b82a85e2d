using Dapper;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>Secrets of datastores and connections, sealed at rest; the documents hold none.</summary>
internal sealed class ResourceSecrets(IDatabase database, ISecretBox box) : IScopedDeletion
{
    public async Task<string?> FindAsync(ArmId resource, CancellationToken ct)
    {
        var stored = await database.ReadAsync(c => c.QueryFirstOrDefault<string>("SELECT sealed FROM resource_secrets WHERE key = @key", new { key = resource.Key }), ct);
        return stored is null ? null : box.Open(stored, Purpose(resource));
    }

    public void Put(WriteScope scope, ArmId resource, string secret) => scope.Execute(
        "INSERT INTO resource_secrets (key, sealed) VALUES (@key, @stored) ON CONFLICT (key) DO UPDATE SET sealed = @stored",
        new { key = resource.Key, stored = box.Seal(secret, Purpose(resource)) });

    public static void Remove(WriteScope scope, ArmId resource) => scope.Execute("DELETE FROM resource_secrets WHERE key = @key", new { key = resource.Key });

    public void Delete(WriteScope write, ArmId scope) => write.Execute(
        "DELETE FROM resource_secrets WHERE key = @key OR (key > @below AND key < @past)",
        new { key = scope.Key, below = scope.Key + "/", past = scope.Key + "0" });

    // "datastore/subscriptions/...": the type in the singular, and the key.
    private static string Purpose(ArmId resource) => resource.Type.Split('/')[^1].TrimEnd('s').ToLowerInvariant() + resource.Key;
}
