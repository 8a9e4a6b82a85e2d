using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Import;

/// <summary>Points of a run's metrics, each <c>[name, value, time, step]</c>. A point that is there already is the same row.</summary>
internal sealed class ImportMetrics(string run, IReadOnlyList<MetricPoint> points) : ImportItem
{
    public const string Word = "metrics";
    public const int Most = 1000;

    public override string Kind => Word;

    public override string Name => run;

    public override int Weight => points.Count;

    public override int Count => points.Count;

    public static ImportItem Read(ImportRecord record)
    {
        var run = record.Required("run", ImportRules.Run);
        var list = record.Array("points");
        if (list.Count is 0 or > Most)
        {
            record.Fault("points", $"a record has 1 to {Most} points.");
            return new ImportMetrics(run, []);
        }

        var points = new List<MetricPoint>(list.Count);
        for (var i = 0; i < list.Count; i++)
        {
            if (Point(list[i]) is { } point)
            {
                points.Add(point);
            }
            else
            {
                record.Fault($"points[{i}]", "a point is [name, value, time, step]: a text of 1 to 250 characters, a number, \"NaN\", \"Infinity\" or \"-Infinity\", milliseconds and a whole number.");
            }
        }

        return new ImportMetrics(run, points);
    }

    public override void Apply(ImportUnit unit)
    {
        var row = unit.Run(run);
        unit.Call.Stores.Metrics.Log(unit.Scope, row, points);
    }

    private static MetricPoint? Point(JsonNode? node)
    {
        if (node is not JsonArray { Count: 4 } point || point[0].Text() is not { Length: > 0 and <= ImportRecord.LongestName } name || name.Any(char.IsControl) || ImportRecord.Real(point[1]) is not { } value)
        {
            return null;
        }

        return long.TryParse(point[2].Text(), out var time) && long.TryParse(point[3].Text(), out var step) ? new MetricPoint(name, value, time, step) : null;
    }
}
