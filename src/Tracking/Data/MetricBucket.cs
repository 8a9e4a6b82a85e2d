namespace Zaffre.Tracking.Data;

/// <summary>What a chart shows of some steps that follow each other: the least and the greatest value, the first NaN, and between which times the points lie.</summary>
internal sealed class MetricBucket(long number)
{
    /// <summary>The steps, shifted right by the level.</summary>
    public long Number => number;

    public long FirstTime { get; private set; } = long.MaxValue;

    public long LastTime { get; private set; } = long.MinValue;

    /// <summary>Null when all values are NaN.</summary>
    public MetricPoint? Low { get; private set; }

    public MetricPoint? High { get; private set; }

    /// <summary>The first NaN, or null.</summary>
    public MetricPoint? Gap { get; private set; }

    /// <summary>A bucket as it was read.</summary>
    public static MetricBucket Of(long number, MetricPoint? low, MetricPoint? high, MetricPoint? gap) => new(number) { Low = low, High = high, Gap = gap };

    public void Add(in MetricPoint point)
    {
        Widen(point.Time, point.Time);
        if (double.IsNaN(point.Value))
        {
            Gap = Gap is { } gap && gap.Step <= point.Step ? gap : point;
            return;
        }

        Low = Low is { } low && low.Value <= point.Value ? low : point;
        High = High is { } high && high.Value >= point.Value ? high : point;
    }

    public void Add(MetricBucket other)
    {
        Widen(other.FirstTime, other.LastTime);
        foreach (var point in new[] { other.Low, other.High, other.Gap })
        {
            if (point is { } some)
            {
                Add(some);
            }
        }
    }

    /// <summary>The buckets of a level over points in any order, ordered by number.</summary>
    public static IReadOnlyList<MetricBucket> Over(IEnumerable<MetricPoint> points, int level)
    {
        var buckets = new SortedDictionary<long, MetricBucket>();
        MetricBucket? last = null;
        foreach (var point in points)
        {
            (last = Find(buckets, last, point.Step >> level)).Add(point);
        }

        return [.. buckets.Values];
    }

    /// <summary>The buckets of a level that is so many bits wider than that of <paramref name="narrow"/>.</summary>
    public static IReadOnlyList<MetricBucket> Over(IEnumerable<MetricBucket> narrow, int wider)
    {
        var buckets = new SortedDictionary<long, MetricBucket>();
        MetricBucket? last = null;
        foreach (var bucket in narrow)
        {
            (last = Find(buckets, last, bucket.Number >> wider)).Add(bucket);
        }

        return [.. buckets.Values];
    }

    private static MetricBucket Find(SortedDictionary<long, MetricBucket> buckets, MetricBucket? last, long number)
    {
        if (last?.Number == number)
        {
            return last;
        }

        if (!buckets.TryGetValue(number, out var bucket))
        {
            buckets[number] = bucket = new MetricBucket(number);
        }

        return bucket;
    }

    private void Widen(long first, long last) => (FirstTime, LastTime) = (Math.Min(FirstTime, first), Math.Max(LastTime, last));
}
