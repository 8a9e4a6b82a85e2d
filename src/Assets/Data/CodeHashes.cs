using System.Text.Json.Nodes;
using Dapper;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Assets.Data;

/// <summary>Code versions by the hash of their content, as their client computed it (<c>properties.properties.hash_sha256</c>).</summary>
internal sealed class CodeHashes(IDatabase database) : IScopedDeletion
{
    /// <summary>Ids of the workspace's code versions with this content, those of code <paramref name="first"/> before the others.</summary>
    public Task<IReadOnlyList<ArmId>> FindAsync(WorkspaceRef workspace, string hash, ArmId first, int top, CancellationToken ct) => database.ReadAsync<IReadOnlyList<ArmId>>(
        connection =>
        [
            .. connection.Query<string>(
                "SELECT key FROM code_hashes WHERE workspace = @workspace AND hash = @hash ORDER BY key > @below AND key < @past DESC, key LIMIT @top",
                new { workspace = workspace.Id.Key, hash, below = first.Key + "/", past = first.Key + "0", top }).Select(key => new ArmId(key)),
        ],
        ct);

    /// <summary>Notes a version that was just put; without a hash it is found by name only.</summary>
    public static void Note(WriteScope scope, WorkspaceRef workspace, Resource code)
    {
        var hash = code.Properties.Object("properties")?.Text("hash_sha256");
        scope.Execute("DELETE FROM code_hashes WHERE key = @key", new { key = code.Id.Key });
        if (hash is { Length: > 0 })
        {
            scope.Execute("INSERT INTO code_hashes (key, workspace, hash) VALUES (@key, @workspace, @hash)", new { key = code.Id.Key, workspace = workspace.Id.Key, hash });
        }
    }

    public void Delete(WriteScope write, ArmId scope) => write.Execute(
        "DELETE FROM code_hashes WHERE key = @key OR (key > @below AND key < @past)",
        new { key = scope.Key, below = scope.Key + "/", past = scope.Key + "0" });
}
