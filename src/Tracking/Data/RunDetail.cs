using System.Data.Common;

namespace Zaffre.Tracking.Data;

/// <summary>A run with everything that is logged on it.</summary>
internal sealed record RunDetail(
    RunRow Row, IEnumerable<MetricRow> Metrics, IEnumerable<(string Name, string Value)> Params, IEnumerable<(string Name, string Value)> Tags, RunInputs Inputs)
{
    /// <summary>The runs of these keys, in this order; those that are gone are left out.</summary>
    public static IReadOnlyList<RunDetail> Read(DbConnection connection, IReadOnlyList<RunRow> rows)
    {
        var keys = rows.Select(row => row.Key).ToList();
        var (metrics, values, tags) = (MetricStore.Latest(connection, keys), RunData.Params(connection, keys), RunData.Tags(connection, keys));
        var inputs = InputStore.Read(connection, keys);
        return [.. rows.Select(row => new RunDetail(row, metrics[row.Key], values[row.Key], tags[row.Key], inputs(row.Key)))];
    }
}
