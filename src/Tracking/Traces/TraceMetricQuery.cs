using System.Data.Common;
using System.Globalization;
using Dapper;

namespace Zaffre.Tracking.Traces;

/// <summary>One way in which values become one; <paramref name="Percentile"/> is 0 to 100, for that kind only.</summary>
internal sealed record MetricAggregation(Aggregation Kind, double Percentile)
{
    /// <summary>How the answer names it: <c>AVG</c>, <c>P95.0</c>.</summary>
    public string Name => Kind == Aggregation.Percentile ? "P" + Percentile.ToString("0.0###############", CultureInfo.InvariantCulture) : Kind.ToString().ToUpperInvariant();
}

/// <summary>The figures of one group of rows: what the group is, and a value by the name of its aggregation.</summary>
internal sealed record MetricDataPoint(IReadOnlyList<(string Name, string Value)> Dimensions, IReadOnlyList<(string Name, double Value)> Values);

/// <summary>Figures of traces, grouped by dimensions and intervals of time.</summary>
internal sealed record TraceMetricQuery(TraceView View, TraceMetric Metric, IReadOnlyList<MetricAggregation> Aggregations, IReadOnlyList<string> Dimensions)
{
    /// <summary>Where the calendar begins; an interval may begin before.</summary>
    private const long EarliestTime = -62_135_596_800_000;

    /// <summary>The length of an interval in seconds, or null for no grouping by time.</summary>
    public long? Interval { get; init; }

    /// <summary>The points in the order of time and dimensions. Rows are read one by one; what is kept are the groups, and their values where a percentile is asked.</summary>
    public IReadOnlyList<MetricDataPoint> Run(DbConnection connection, string conditions, DynamicParameters parameters)
    {
        var groups = new SortedDictionary<Group, Values>(Comparer<Group>.Create(Compare));
        var keep = Aggregations.Any(aggregation => aggregation.Kind == Aggregation.Percentile);
        if (Interval is null && Dimensions.Count == 0)
        {
            groups[new Group(0, [])] = new Values(keep);
        }

        var time = Interval is { } interval ? string.Create(CultureInfo.InvariantCulture, $"CAST(floor({TraceMetric.Time(View)} / {interval * 1000}.0) AS INTEGER) * {interval * 1000}") : "0";
        var columns = string.Concat(Dimensions.Select(dimension => $", {Metric.Dimensions[dimension]}"));
        using var reader = connection.ExecuteReader($"SELECT {time}, {Metric.Value}{columns} FROM {TraceMetric.From(View)} WHERE {conditions}", parameters);
        while (reader.Read())
        {
            var dimensions = Enumerable.Range(2, Dimensions.Count).Select(i => reader.IsDBNull(i) ? null : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)).ToArray();
            if (dimensions.Any(value => value is null))
            {
                continue;
            }

            var group = new Group(reader.GetInt64(0), dimensions!);
            if (!groups.TryGetValue(group, out var values))
            {
                groups[group] = values = new Values(keep);
            }

            if (reader.GetValue(1) is long or double)
            {
                values.Add(Convert.ToDouble(reader.GetValue(1), CultureInfo.InvariantCulture));
            }
        }

        return [.. groups.Select(group => Point(group.Key, group.Value)).Where(point => point.Values.Count > 0)];
    }

    private MetricDataPoint Point(Group group, Values values) => new(
        [
            .. Interval is null ? [] : new[] { ("time_bucket", Instant(group.Time)) },
            .. Dimensions.Select((dimension, i) => (dimension, group.Dimensions[i])),
        ],
        [.. Aggregations.Select(aggregation => (aggregation.Name, Value: values.Of(aggregation))).Where(value => value.Value is not null).Select(value => (value.Name, value.Value!.Value))]);

    private static string Instant(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(milliseconds, EarliestTime)).ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);

    private static int Compare(Group one, Group other)
    {
        var order = one.Time.CompareTo(other.Time);
        for (var i = 0; order == 0 && i < one.Dimensions.Length; i++)
        {
            order = string.CompareOrdinal(one.Dimensions[i], other.Dimensions[i]);
        }

        return order;
    }

    private sealed record Group(long Time, string[] Dimensions);

    private sealed class Values(bool keep)
    {
        private readonly List<double> kept = [];
        private long count;
        private double sum;
        private double least = double.PositiveInfinity;
        private double greatest = double.NegativeInfinity;
        private bool sorted;

        public void Add(double value)
        {
            count++;
            sum += value;
            (least, greatest) = (Math.Min(least, value), Math.Max(greatest, value));
            if (keep)
            {
                kept.Add(value);
            }
        }

        public double? Of(MetricAggregation aggregation) => aggregation.Kind switch
        {
            Aggregation.Count => count,
            _ when count == 0 => null,
            Aggregation.Sum => sum,
            Aggregation.Avg => sum / count,
            Aggregation.Min => least,
            Aggregation.Max => greatest,
            _ => Percentile(aggregation.Percentile / 100),
        };

        /// <summary>Between two values in proportion.</summary>
        private double Percentile(double part)
        {
            if (!sorted)
            {
                kept.Sort();
                sorted = true;
            }

            var place = part * (kept.Count - 1);
            var below = (int)Math.Floor(place);
            var above = Math.Min(below + 1, kept.Count - 1);
            return kept[below] + ((kept[above] - kept[below]) * (place - below));
        }
    }
}
