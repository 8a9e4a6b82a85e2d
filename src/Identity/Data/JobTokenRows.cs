using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Identity.Data;

/// <summary>The one live token of each running job.</summary>
internal sealed class JobTokenRow
{
    public string JobKey { get; init; } = "";

    public string TokenId { get; init; } = "";

    public long IssuedAt { get; init; }
}

internal static class JobTokenRows
{
    /// <summary>The id of a job's live token; null when it has none.</summary>
    public static string? Find(DbConnection connection, string jobKey) =>
        connection.QueryFirstOrDefault<string>("SELECT token_id FROM job_tokens WHERE job_key = @jobKey", new { jobKey });

    public static void Put(WriteScope scope, JobTokenRow row) => scope.Execute(
        """
        INSERT INTO job_tokens (job_key, token_id, issued_at) VALUES (@JobKey, @TokenId, @IssuedAt)
        ON CONFLICT (job_key) DO UPDATE SET token_id = excluded.token_id, issued_at = excluded.issued_at
        """,
        row);

    public static void Delete(WriteScope scope, string jobKey) =>
        scope.Execute("DELETE FROM job_tokens WHERE job_key = @jobKey", new { jobKey });

    public static void DeleteBelow(WriteScope scope, string scopeKey) => scope.Execute(
        "DELETE FROM job_tokens WHERE job_key = @scopeKey OR substr(job_key, 1, length(@scopeKey) + 1) = @scopeKey || '/'",
        new { scopeKey });
}
