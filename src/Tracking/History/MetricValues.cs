using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Search;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>A metric as it was sent: its points, or why it has none.</summary>
internal sealed record SentMetric(JsonObject Sent, IReadOnlyList<MetricPoint> Points, Problem? Problem);

/// <summary>The messages of Azure's metric store.</summary>
internal static class MetricValues
{
    /// <summary>The kind by which Azure's pages draw a line.</summary>
    public const string Scalar = "azureml.v1.scalar";

    /// <summary>The time of a value that has none: when it is logged.</summary>
    public const long Now = long.MinValue;

    private const int MostMetrics = 1000;
    private const int MostValues = 10_000;

    private static readonly string[] Numbers = ["Double", "Int", "Long", "Float", "Bool", "Boolean"];

    /// <summary>The metrics of a request, each with its own problem.</summary>
    public static Outcome<List<SentMetric>> Read(JsonObject body)
    {
        var sent = (body["values"] as JsonArray ?? []).ToList();
        if (sent.Count is 0 or > MostMetrics || sent.Any(metric => metric is not JsonObject) || sent.Sum(metric => (metric!["value"] as JsonArray)?.Count ?? 0) > MostValues)
        {
            return ArmErrors.Invalid($"'values' has 1 to {MostMetrics} metrics, with at most {MostValues} values together.", "values");
        }

        return sent.Select((metric, index) => Read((JsonObject)metric!, $"values[{index}]")).ToList();
    }

    public static JsonObject Metric(RunRow run, string name, IReadOnlyList<MetricRow> points, string? next) => new()
    {
        ["dataContainerId"] = "dcid." + run.Id,
        ["name"] = name,
        ["columns"] = new JsonObject { [name] = "Double" },
        ["properties"] = new JsonObject { ["uxMetricType"] = Scalar },
        ["namespace"] = "",
        ["standardSchemaId"] = null,
        ["value"] = new JsonArray([.. points.Select(point => (JsonNode)new JsonObject
        {
            ["metricId"] = Token(run, name, point),
            ["createdUtc"] = RunHistory.Time(DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(point.Time, -62_135_596_800_000, 253_402_300_799_999))),
            ["step"] = point.Step,
            ["data"] = new JsonObject { [name] = double.IsFinite(point.Real) ? point.Real : double.IsNaN(point.Real) ? "NaN" : point.Real > 0 ? "Infinity" : "-Infinity" },
        })]),
        ["continuationToken"] = next,
        ["nextLink"] = null,
    };

    /// <summary>What tells a point from every other of its metric.</summary>
    public static string Token(RunRow run, string name, MetricRow point) => PageToken.Write([point.Time, point.Step, point.Nan, point.Value], Series(run, name));

    /// <summary>What the tokens of a metric's pages are good for.</summary>
    public static string Series(RunRow run, string name) => $"{run.Id}\n{name}";

    private static SentMetric Read(JsonObject metric, string where)
    {
        try
        {
            var name = MlflowLimits.MetricName(metric.Text("name") is { Length: > 0 } given ? given : throw MlflowErrors.Missing("name"));
            if (metric["columns"] is not JsonObject { Count: 1 } columns || !Numbers.Contains(columns.First().Value.Text() ?? "", StringComparer.OrdinalIgnoreCase))
            {
                return new SentMetric(metric, [], ArmErrors.Unsupported($"the metric '{name}': only metrics with one column of numbers are kept, no tables and no texts", where + ".columns"));
            }

            var (column, values) = (columns.First().Key, metric["value"] as JsonArray ?? []);
            return new SentMetric(metric, [.. values.Select((value, index) => Point(name, column, value as JsonObject, values.Count > 1 ? index : 0))], null);
        }
        catch (MlflowException error)
        {
            return new SentMetric(metric, [], ArmErrors.Invalid(error.Message, where));
        }
    }

    /// <summary>A list has no steps of its own: its values are told apart by their places.</summary>
    private static MetricPoint Point(string name, string column, JsonObject? value, long place)
    {
        var number = value?.Object("data")?[column] switch
        {
            JsonValue data when data.TryGetValue(out bool flag) => flag ? 1 : 0,
            JsonValue data when Real(data.Text()) is { } real => real,
            _ => throw MlflowErrors.InvalidValue("value", $"of column '{column}'", "it must be a number."),
        };
        var time = value!.Text("createdUtc") is not { Length: > 0 } text ? Now
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var created) ? created.ToUnixTimeMilliseconds()
            : throw MlflowErrors.InvalidValue("createdUtc", $"'{text}'", "it must be a time such as 2025-01-31T12:00:00Z.");
        var step = value!.Text("step") is not { Length: > 0 } given ? place
            : long.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var at) ? at
            : throw MlflowErrors.InvalidValue("step", $"'{given}'", "it must be an integer.");
        return new MetricPoint(name, number, time, step);
    }

    private static double? Real(string? text) => text switch
    {
        "NaN" => double.NaN,
        "Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
    };
}
