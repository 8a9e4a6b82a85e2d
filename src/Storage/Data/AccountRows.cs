using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Storage.Data;

/// <summary>Accounts, with sealed keys, and what a folder cannot keep of a container.</summary>
internal static class AccountRows
{
    private const string Columns = "SELECT name AS Name, scope AS Scope, key1 AS Key1, key2 AS Key2, created AS Created FROM storage_accounts";

    public static AccountRow? Find(DbConnection connection, string name) =>
        connection.QueryFirstOrDefault<AccountRow>(Columns + " WHERE name = @name", new { name });

    public static IReadOnlyList<AccountRow> List(DbConnection connection, string prefix) => connection.Query<AccountRow>(
        Columns + " WHERE substr(lower(scope), 1, length(@prefix)) = @prefix ORDER BY name", new { prefix = prefix.ToLowerInvariant() }).AsList();

    public static bool Delete(WriteScope scope, string name) => scope.Execute("DELETE FROM storage_accounts WHERE name = @name", new { name }) > 0;

    public static bool Insert(WriteScope scope, AccountRow row) => scope.Execute(
        "INSERT INTO storage_accounts (name, scope, key1, key2, created) VALUES (@Name, @Scope, @Key1, @Key2, @created) ON CONFLICT DO NOTHING",
        new { row.Name, row.Scope, row.Key1, row.Key2, created = scope.Now.ToUnixTimeMilliseconds() }) > 0;

    public static ContainerRow? FindContainer(DbConnection connection, string account, string container) => connection.QueryFirstOrDefault<ContainerRow>(
        "SELECT metadata AS Metadata, modified AS Modified FROM storage_containers WHERE account = @account AND name = @container", new { account, container });

    public static void PutContainer(WriteScope scope, string account, string container, string metadata) => scope.Execute(
        "INSERT INTO storage_containers (account, name, metadata, modified) VALUES (@account, @container, @metadata, @modified) "
        + "ON CONFLICT (account, name) DO UPDATE SET metadata = @metadata, modified = MAX(@modified, modified + 1)",
        new { account, container, metadata, modified = scope.Now.ToUnixTimeMilliseconds() });

    public static void DeleteContainer(WriteScope scope, string account, string container) =>
        scope.Execute("DELETE FROM storage_containers WHERE account = @account AND name = @container", new { account, container });
}

/// <summary>One row of <c>storage_accounts</c>; the keys are sealed.</summary>
internal sealed class AccountRow
{
    public required string Name { get; init; }

    public required string Scope { get; init; }

    public required string Key1 { get; init; }

    public required string Key2 { get; init; }

    public long Created { get; init; }
}

/// <summary>One row of <c>storage_containers</c>.</summary>
internal sealed class ContainerRow
{
    public required string Metadata { get; init; }

    public long Modified { get; init; }
}
