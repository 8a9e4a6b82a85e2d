using System.Text;
using Dapper;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Search.Text;

/// <summary>
/// A search for words: a run is found when each word is a part of its id, its name, or the name or value of one of its tags or params, in any case. A word is what
/// stands between spaces, or between double quotes. Words of one or two characters have no index: alone they are looked for in the texts, newest first.
/// </summary>
internal sealed record TextQuery(IReadOnlyList<string> Words)
{
    /// <summary>Most characters of a text that is searched for.</summary>
    public const int Longest = 500;

    private const int Gram = 3;
    private const int MostGrams = 40;

    /// <summary>The words of a text; those that another word contains are left out.</summary>
    public static TextQuery Parse(string text)
    {
        var words = new List<string>();
        foreach (var (part, i) in text.ToLowerInvariant().ReplaceLineEndings(" ").Split('"').Select((part, i) => (part, i)))
        {
            words.AddRange(i % 2 == 1 ? [part] : part.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        }

        var distinct = words.Where(word => word.Trim().Length > 0).Distinct(StringComparer.Ordinal).ToList();
        return new TextQuery([.. distinct.Where(word => !distinct.Any(other => other != word && other.Contains(word, StringComparison.Ordinal)))]);
    }

    /// <summary>The keys of runs, the newest first, after (that is, older than) a run.</summary>
    public IReadOnlyList<long> Find(System.Data.Common.DbConnection connection, long workspace, IReadOnlyList<long> experiments, (long Before, int Top) page)
    {
        var parameters = new DynamicParameters(new { workspace, before = page.Before, top = page.Top });
        var conditions = new StringBuilder();
        if (Grams() is { Length: > 0 } grams)
        {
            conditions.Append("run_text MATCH @grams AND ");
            parameters.Add("grams", grams);
        }

        for (var i = 0; i < Words.Count; i++)
        {
            conditions.Append($"instr(run_text.text, @w{i}) > 0 AND ");
            parameters.Add($"w{i}", Words[i]);
        }

        if (experiments.Count > 0)
        {
            conditions.Append("r.experiment IN (SELECT value FROM json_each(@experiments)) AND ");
            parameters.Add("experiments", Keys.Json(experiments));
        }

        return connection.Query<long>(
            $"SELECT r.key FROM run_text CROSS JOIN runs r CROSS JOIN experiments e WHERE {conditions}run_text.rowid < @before AND r.key = run_text.rowid AND r.workspace = @workspace AND r.deleted = 0 "
            + "AND e.key = r.experiment AND e.deleted = 0 ORDER BY run_text.rowid DESC LIMIT @top",
            parameters).AsList();
    }

    /// <summary>Every three characters in a row of the words, as the index knows them.</summary>
    private string Grams() => string.Join(
        " AND ",
        Words.Select(word => word.EnumerateRunes().ToArray())
            .SelectMany(word => Enumerable.Range(0, Math.Max(word.Length - Gram + 1, 0)).Select(i => string.Concat(word.Skip(i).Take(Gram))))
            .Distinct(StringComparer.Ordinal)
            .Take(MostGrams)
            .Select(gram => $"\"{gram.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));
}
