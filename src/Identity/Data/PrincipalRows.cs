using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Identity.Data;

internal sealed class PrincipalRow
{
    public string ObjectId { get; init; } = "";

    public string ClientId { get; init; } = "";

    public string Name { get; init; } = "";

    public string SecretSalt { get; init; } = "";

    public string SecretHash { get; init; } = "";

    public long CreatedAt { get; init; }

    public Principal ToPrincipal() => new(ObjectId, ClientId, Name, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));
}

internal sealed class HomeRow
{
    public string TenantId { get; init; } = "";

    public string SubscriptionId { get; init; } = "";

    public string OwnerObjectId { get; init; } = "";
}

internal static class PrincipalRows
{
    private const string Columns =
        "object_id AS ObjectId, client_id AS ClientId, name AS Name, secret_salt AS SecretSalt, secret_hash AS SecretHash, created_at AS CreatedAt";

    public static IReadOnlyList<PrincipalRow> All(DbConnection connection) =>
        connection.Query<PrincipalRow>($"SELECT {Columns} FROM principals ORDER BY created_at, object_id").AsList();

    public static PrincipalRow? Find(WriteScope scope, string id) =>
        scope.QueryFirstOrDefault<PrincipalRow>($"SELECT {Columns} FROM principals WHERE object_id = @id OR client_id = @id", new { id });

    public static void Insert(WriteScope scope, PrincipalRow row) => scope.Execute(
        """
        INSERT INTO principals (object_id, client_id, name, secret_salt, secret_hash, created_at)
        VALUES (@ObjectId, @ClientId, @Name, @SecretSalt, @SecretHash, @CreatedAt)
        """,
        row);

    public static void SetSecret(WriteScope scope, string objectId, string salt, string hash) => scope.Execute(
        "UPDATE principals SET secret_salt = @salt, secret_hash = @hash WHERE object_id = @objectId",
        new { objectId, salt, hash });

    public static void Delete(WriteScope scope, string objectId) =>
        scope.Execute("DELETE FROM principals WHERE object_id = @objectId", new { objectId });

    public static HomeRow? Home(WriteScope scope) => scope.QueryFirstOrDefault<HomeRow>(
        "SELECT tenant_id AS TenantId, subscription_id AS SubscriptionId, owner_object_id AS OwnerObjectId FROM identity_home");

    public static void SetHome(WriteScope scope, HomeRow row) => scope.Execute(
        "INSERT INTO identity_home (id, tenant_id, subscription_id, owner_object_id) VALUES (1, @TenantId, @SubscriptionId, @OwnerObjectId)",
        row);
}
