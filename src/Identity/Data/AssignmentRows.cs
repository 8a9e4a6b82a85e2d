using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Identity.Data;

/// <summary>A role given to a principal at a scope and everything below it. Scope "/" is the whole tenant; its key is "".</summary>
internal sealed class AssignmentRow
{
    public string ScopeKey { get; init; } = "";

    public string Name { get; init; } = "";

    public string Scope { get; init; } = "";

    public string RoleId { get; init; } = "";

    public string PrincipalId { get; init; } = "";

    public string PrincipalType { get; init; } = "ServicePrincipal";

    public string? Description { get; init; }

    public long CreatedAt { get; init; }

    public string CreatedBy { get; init; } = "";

    public long UpdatedAt { get; init; }

    /// <summary>The scope as compared: lower case, without a trailing slash.</summary>
    public static string KeyOf(string scope) => scope.TrimEnd('/').ToLowerInvariant();

    /// <summary>Whether this assignment covers what has the key <paramref name="key"/>.</summary>
    public bool Covers(string key) =>
        key.StartsWith(ScopeKey, StringComparison.Ordinal) && (key.Length == ScopeKey.Length || key[ScopeKey.Length] == '/');
}

internal static class AssignmentRows
{
    private const string Columns =
        "scope_key AS ScopeKey, name AS Name, scope AS Scope, role_id AS RoleId, principal_id AS PrincipalId, principal_type AS PrincipalType, "
        + "description AS Description, created_at AS CreatedAt, created_by AS CreatedBy, updated_at AS UpdatedAt";

    public static IReadOnlyList<AssignmentRow> All(DbConnection connection) =>
        connection.Query<AssignmentRow>($"SELECT {Columns} FROM role_assignments ORDER BY scope_key, name").AsList();

    public static AssignmentRow? Find(WriteScope scope, string scopeKey, string name) => scope.QueryFirstOrDefault<AssignmentRow>(
        $"SELECT {Columns} FROM role_assignments WHERE scope_key = @scopeKey AND name = @name",
        new { scopeKey, name });

    public static AssignmentRow? FindSame(WriteScope scope, AssignmentRow row) => scope.QueryFirstOrDefault<AssignmentRow>(
        $"SELECT {Columns} FROM role_assignments WHERE scope_key = @ScopeKey AND role_id = @RoleId AND principal_id = @PrincipalId",
        row);

    public static void Insert(WriteScope scope, AssignmentRow row) => scope.Execute(
        """
        INSERT INTO role_assignments (scope_key, name, scope, role_id, principal_id, principal_type, description, created_at, created_by, updated_at)
        VALUES (@ScopeKey, @Name, @Scope, @RoleId, @PrincipalId, @PrincipalType, @Description, @CreatedAt, @CreatedBy, @UpdatedAt)
        """,
        row);

    public static void Describe(WriteScope scope, AssignmentRow row) => scope.Execute(
        "UPDATE role_assignments SET description = @Description, updated_at = @UpdatedAt WHERE scope_key = @ScopeKey AND name = @Name",
        row);

    public static void Delete(WriteScope scope, string scopeKey, string name) =>
        scope.Execute("DELETE FROM role_assignments WHERE scope_key = @scopeKey AND name = @name", new { scopeKey, name });

    public static void DeleteOf(WriteScope scope, string principalId) =>
        scope.Execute("DELETE FROM role_assignments WHERE principal_id = @principalId", new { principalId });

    public static int DeleteBelow(WriteScope scope, string scopeKey) => scope.Execute(
        "DELETE FROM role_assignments WHERE scope_key = @scopeKey OR substr(scope_key, 1, length(@scopeKey) + 1) = @scopeKey || '/'",
        new { scopeKey });
}
