using System.Data.Common;
using System.Globalization;
using System.Text;
using Zaffre.Database;
using Zaffre.Tracking.Mlflow;

namespace Zaffre.Tracking.Search;

/// <summary>
/// A search of runs asks each experiment for itself, deleted runs and others for themselves, so that an index brings the rows of each in order; SQLite merges them
/// (<c>UNION ALL</c> with one <c>ORDER BY</c>) and reads no more of any than the page needs.
/// </summary>
internal static class SearchBranches
{
    /// <summary>SQLite takes 500 at most; each costs some time to prepare.</summary>
    private const int MostTogether = 60;

    /// <summary>Which runs of which experiments a view shows: (experiment, whether the runs are deleted).</summary>
    public static IReadOnlyList<(long Experiment, bool Deleted)> Of(DbConnection connection, IReadOnlyList<long> experiments, SearchView view)
    {
        var branches = new List<(long, bool)>();
        var find = connection.Prepare("SELECT deleted FROM experiments WHERE key = ?1");
        foreach (var experiment in experiments)
        {
            var gone = find.Bind(1, experiment).Read() && find.Long(0) != 0;
            find.Reset();
            branches.AddRange((view, gone) switch
            {
                (SearchView.Active, true) => Array.Empty<(long, bool)>(),
                (SearchView.Active, false) => [(experiment, false)],
                (SearchView.Deleted, false) => [(experiment, true)],
                _ => [(experiment, false), (experiment, true)],
            });
        }

        return branches;
    }

    /// <summary>The statements that together read the rows of <paramref name="select"/>, a SELECT over <c>@experiment</c> and <c>@deleted</c>, of all branches.</summary>
    public static IEnumerable<string> Statements(SearchSql sql, string select, IReadOnlyList<(long Experiment, bool Deleted)> branches, IReadOnlyList<string> parts)
    {
        foreach (var together in branches.SelectMany(branch => parts.Select(part => (branch.Experiment, branch.Deleted, Part: part))).Chunk(MostTogether))
        {
            var text = new StringBuilder();
            for (var i = 0; i < together.Length; i++)
            {
                var experiment = "x" + i.ToString(CultureInfo.InvariantCulture);
                sql.Parameters.Add(experiment, together[i].Experiment);
                text.Append(i == 0 ? "" : " UNION ALL ")
                    .Append(select.Replace("@experiment", "@" + experiment, StringComparison.Ordinal).Replace("@deleted", together[i].Deleted ? "1" : "0", StringComparison.Ordinal))
                    .Append(" AND ").Append(together[i].Part);
            }

            yield return text.ToString();
        }
    }

    /// <summary>Compares rows by their sort keys as SQLite does: numbers by size, texts by their UTF-8 bytes.</summary>
    public static int Compare(object[] left, object[] right, IReadOnlyList<bool> descending)
    {
        for (var i = 0; i < left.Length; i++)
        {
            var order = (left[i], right[i]) switch
            {
                (string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)),
                (long a, long b) => a.CompareTo(b),
                var (a, b) => Convert.ToDouble(a, CultureInfo.InvariantCulture).CompareTo(Convert.ToDouble(b, CultureInfo.InvariantCulture)),
            };
            if (order != 0)
            {
                return descending[i] ? -order : order;
            }
        }

        return 0;
    }
}
