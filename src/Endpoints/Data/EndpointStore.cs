using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Endpoints.Data;

internal sealed class EndpointRow
{
    public string EndpointId { get; init; } = "";

    public string Name { get; init; } = "";

    public string Epoch { get; init; } = "";

    public string PrimaryKey { get; init; } = "";

    public string SecondaryKey { get; init; } = "";
}

/// <summary>The keys of endpoints, sealed, and the key that signs their tokens.</summary>
internal sealed class EndpointStore(IDatabase database, ISecretBox box)
{
    private const string TokenKey = "token-key";
    private const string Columns = "endpoint_id AS EndpointId, name AS Name, epoch AS Epoch, primary_key AS PrimaryKey, secondary_key AS SecondaryKey";

    public static IReadOnlyList<EndpointRow> List(DbConnection connection) =>
        [.. connection.Query<EndpointRow>($"SELECT {Columns} FROM endpoint_auth ORDER BY name")];

    public Task<EndpointRow?> FindAsync(ArmId id, CancellationToken ct) => database.ReadAsync(
        c => c.QueryFirstOrDefault<EndpointRow>($"SELECT {Columns} FROM endpoint_auth WHERE endpoint_id = @Value COLLATE NOCASE", new { id.Value }), ct);

    /// <summary>Makes the row of a new endpoint; throws a Conflict when another workspace has one of that name.</summary>
    public void Create(WriteScope scope, ArmId id, string? primary, string? secondary)
    {
        if (scope.QueryFirstOrDefault<string>("SELECT endpoint_id FROM endpoint_auth WHERE name = @Name", new { id.Name }) is { } taken)
        {
            throw new ProblemException(ArmErrors.Conflict($"An online endpoint named '{id.Name}' exists already ({taken}). Names of online endpoints are unique on a server, as they are in an Azure region.", "EndpointNameTaken"));
        }

        scope.Execute(
            "INSERT INTO endpoint_auth (endpoint_id, name, epoch, primary_key, secondary_key) VALUES (@Id, @Name, @Epoch, @Primary, @Secondary)",
            new
            {
                Id = id.Value,
                id.Name,
                Epoch = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)),
                Primary = box.Seal(primary ?? NewKey(), Purpose(id)),
                Secondary = box.Seal(secondary ?? NewKey(), Purpose(id)),
            });
    }

    public static void Delete(WriteScope scope, ArmId scopeId) => scope.Execute(
        "DELETE FROM endpoint_auth WHERE endpoint_id = @Id COLLATE NOCASE OR endpoint_id LIKE @Below ESCAPE '\\'",
        new { Id = scopeId.Value, Below = Like.Below(scopeId) });

    public (string Primary, string Secondary) Open(EndpointRow row) =>
        (box.Open(row.PrimaryKey, Purpose(new ArmId(row.EndpointId))), box.Open(row.SecondaryKey, Purpose(new ArmId(row.EndpointId))));

    public void SetKey(WriteScope scope, EndpointRow row, bool primary, string key) => scope.Execute(
        $"UPDATE endpoint_auth SET {(primary ? "primary_key" : "secondary_key")} = @Key WHERE endpoint_id = @Id",
        new { Key = box.Seal(key, Purpose(new ArmId(row.EndpointId))), Id = row.EndpointId });

    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(48)).Replace('+', 'k').Replace('/', 'Z');

    public static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>The key that signs endpoint tokens, made at first use. The caller disposes it.</summary>
    public async Task<(string KeyId, ECDsa Key)> TokenKeyAsync(CancellationToken ct)
    {
        var stored = await database.ReadAsync(c => c.QueryFirstOrDefault<string>("SELECT value FROM serving_secret WHERE name = @TokenKey", new { TokenKey }), ct);
        if (stored is null)
        {
            using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var text = box.Seal(Convert.ToBase64String(made.ExportPkcs8PrivateKey()), TokenKey);
            stored = await database.WriteAsync(
                scope =>
                {
                    scope.Execute("INSERT INTO serving_secret (name, value) VALUES (@TokenKey, @text) ON CONFLICT (name) DO NOTHING", new { TokenKey, text });
                    return scope.QueryFirstOrDefault<string>("SELECT value FROM serving_secret WHERE name = @TokenKey", new { TokenKey })!;
                },
                ct);
        }

        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(box.Open(stored, TokenKey)), out _);
        return (Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16], key);
    }

    private static string Purpose(ArmId id) => $"online-endpoint/{id.Key}";
}

/// <summary>Patterns for <c>LIKE</c>.</summary>
internal static class Like
{
    /// <summary>Everything below a resource id; use with <c>ESCAPE '\'</c>.</summary>
    public static string Below(ArmId id) =>
        id.Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal) + "/%";
}
