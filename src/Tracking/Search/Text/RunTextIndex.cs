using System.Text;
using Zaffre.Database;

namespace Zaffre.Tracking.Search.Text;

/// <summary>
/// The index of what runs say. Triggers note the runs that changed, which costs a write next to nothing; their texts are indexed afterwards, some in each unit of
/// writing, by <see cref="RunTextIndexer"/> and by a search before it looks.
/// </summary>
internal sealed class RunTextIndex(IDatabase database)
{
    /// <summary>Of each value, as many characters are found.</summary>
    public const int ValueLength = 1000;

    private const int LongestText = 50_000;
    private const int CharactersOfUnit = 20_000;
    private const int RunsOfUnit = 50;

    /// <summary>Indexes every run that changed before this call.</summary>
    public async Task CatchUpAsync(CancellationToken ct)
    {
        while (await IsBehindAsync(ct))
        {
            await IndexSomeAsync(ct);
        }
    }

    public Task<bool> IsBehindAsync(CancellationToken ct) =>
        database.ReadAsync(connection => Dapper.SqlMapper.ExecuteScalar<bool>(connection, "SELECT EXISTS (SELECT 1 FROM run_text_pending)"), ct);

    /// <summary>Indexes as many runs as keep the writer for some milliseconds.</summary>
    public Task IndexSomeAsync(CancellationToken ct) => database.WriteAsync(IndexSome, ct);

    private static void IndexSome(WriteScope scope)
    {
        var written = 0;
        foreach (var run in scope.Query<long>("SELECT run FROM run_text_pending ORDER BY run DESC LIMIT @most", new { most = RunsOfUnit }))
        {
            var text = TextOf(scope, run);
            scope.Execute("DELETE FROM run_text WHERE rowid = @run", new { run });
            if (text is not null)
            {
                scope.Execute("INSERT INTO run_text (rowid, text) VALUES (@run, @text)", new { run, text });
            }

            scope.Execute("DELETE FROM run_text_pending WHERE run = @run", new { run });
            written += text?.Length ?? 0;
            if (written > CharactersOfUnit)
            {
                break;
            }
        }
    }

    private static string? TextOf(WriteScope scope, long run)
    {
        if (scope.QueryFirstOrDefault<(string Id, string Name)?>("SELECT id, name FROM runs WHERE key = @run", new { run }) is not { } row)
        {
            return null;
        }

        var text = new StringBuilder(row.Id).Append('\n').Append(row.Name).Append('\n');
        foreach (var (name, value) in scope.Query<(string Name, string Value)>(
            $"SELECT name, substr(value, 1, {ValueLength}) FROM run_tags WHERE run = @run UNION ALL SELECT name, substr(value, 1, {ValueLength}) FROM run_params WHERE run = @run", new { run }))
        {
            text.Append(name).Append('\n').Append(value).Append('\n');
            if (text.Length > LongestText)
            {
                break;
            }
        }

        return text.ToString().ToLowerInvariant();
    }
}
