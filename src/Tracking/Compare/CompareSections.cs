using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.History;

namespace Zaffre.Tracking.Compare;

/// <summary>The parts of a comparison that come from what is logged on the runs.</summary>
internal static class CompareSections
{
    /// <summary>Prefix of metrics that tell of the machine, as MLflow and jobs log them.</summary>
    public const string System = "system/";

    public static IEnumerable<CompareRow> Attributes(ComparedRuns runs)
    {
        foreach (var (name, values) in AttributeTexts(runs))
        {
            yield return CompareRow.OfTexts(name, values);
        }

        var seconds = runs.Runs.Select(run => Seconds(run.Row)).ToList();
        yield return new CompareRow("durationSeconds", [.. seconds.Select(CompareRow.Number)], CompareRow.StateOf(seconds));
    }

    public static IEnumerable<CompareRow> Params(ComparedRuns runs) => runs.Each(run => run.Params).Select(row => CompareRow.OfTexts(row.Name, row.Values));

    public static IEnumerable<CompareRow> Tags(ComparedRuns runs) => runs.Each(run => run.Tags).Select(row => CompareRow.OfTexts(row.Name, row.Values));

    /// <summary>Metrics are the same when their latest values are.</summary>
    public static IEnumerable<CompareRow> Metrics(ComparedRuns runs) => runs.Each(run => run.Metrics.Select(metric => (metric.Name, metric))).Select(row => new CompareRow(
        row.Name, [.. row.Values.Select(metric => Metric(runs, metric))], CompareRow.StateOf([.. row.Values.Select(metric => metric?.Real)]))
    {
        More = new JsonObject { ["kind"] = row.Name.StartsWith(System, StringComparison.Ordinal) ? "system" : "metric" },
    });

    /// <summary>Datasets by name and context: the same when their digests are.</summary>
    public static IEnumerable<CompareRow> Inputs(ComparedRuns runs) => runs.Each(Datasets).Select(row => new CompareRow(
        row.Name,
        [.. row.Values.Select(dataset => dataset is null ? null : new JsonObject { ["digest"] = dataset.Digest, ["sourceType"] = dataset.SourceType, ["source"] = CompareRow.Shown(dataset.Source) })],
        CompareRow.StateOf([.. row.Values.Select(dataset => dataset?.Digest)])));

    /// <summary>What a chart takes: attributes that are numbers or few words, params, metrics; tags when they are asked for by name.</summary>
    public static IEnumerable<CompareColumn> Columns(ComparedRuns runs, CompareQuery query)
    {
        yield return new CompareColumn("attributes", "durationSeconds", [.. runs.Runs.Select(run => (object?)Seconds(run.Row))]);
        foreach (var (name, values) in AttributeTexts(runs))
        {
            yield return new CompareColumn("attributes", name, [.. values]);
        }

        foreach (var (name, values) in runs.Each(run => run.Params))
        {
            yield return CompareColumn.OfTexts("params", name, values);
        }

        foreach (var (name, values) in runs.Each(run => run.Metrics.Select(metric => (metric.Name, metric))))
        {
            yield return new CompareColumn("metrics", name, [.. values.Select(metric => (object?)Value(runs, metric, query.Value))]);
        }

        foreach (var (name, values) in query.Axes.Any(axis => axis.StartsWith("tags.", StringComparison.Ordinal)) ? runs.Each(run => run.Tags) : [])
        {
            yield return CompareColumn.OfTexts("tags", name, values);
        }
    }

    private static IEnumerable<(string Name, IReadOnlyList<string?> Values)> AttributeTexts(ComparedRuns runs)
    {
        IReadOnlyList<string?> Of(Func<RunRow, string?> pick) => [.. runs.Runs.Select(run => pick(run.Row))];
        yield return ("name", Of(run => run.Name));
        yield return ("status", Of(run => run.State.ToString()));
        yield return ("experiment", Of(run => run.ExperimentName));
        yield return ("user", Of(run => run.User));
        yield return ("compute", Of(run => run.Target));
        yield return ("parent", Of(run => run.Parent));
        yield return ("type", Of(run => run.Type ?? "azureml.mlflow"));
        yield return ("error", Of(run => run.ErrorCode));
        yield return ("created", Of(run => Time(run.Created)));
        yield return ("started", Of(run => Time(run.Started)));
        yield return ("ended", Of(run => Time(run.Ended)));
    }

    private static string? Time(long? milliseconds) => milliseconds is { } known ? RunHistory.Time(DateTimeOffset.FromUnixTimeMilliseconds(known)) : null;

    /// <summary>How long a run took; null while it goes on.</summary>
    private static double? Seconds(RunRow run) => run.Ended is { } ended ? (ended - (run.Started ?? run.StartTime)) / 1000.0 : null;

    private static JsonObject? Metric(ComparedRuns runs, MetricRow? metric)
    {
        if (metric is null)
        {
            return null;
        }

        var value = new JsonObject { ["latest"] = CompareRow.Number(metric.Real), ["step"] = metric.Step, ["timestamp"] = metric.Time };
        if (runs.Extents.GetValueOrDefault((metric.Run, metric.Name)) is { } extent)
        {
            value["min"] = CompareRow.Number(extent.Least);
            value["max"] = CompareRow.Number(extent.Greatest);
            value["hasNaN"] = extent.HasNan;
            value["steps"] = extent.Steps;
            if (extent.MoreSteps)
            {
                value["moreSteps"] = true;
            }
        }

        return value;
    }

    private static double? Value(ComparedRuns runs, MetricRow? metric, string which) => metric is null ? null : which switch
    {
        "min" => runs.Extents.GetValueOrDefault((metric.Run, metric.Name))?.Least ?? double.NaN,
        "max" => runs.Extents.GetValueOrDefault((metric.Run, metric.Name))?.Greatest ?? double.NaN,
        _ => metric.Real,
    };

    private static IEnumerable<(string Name, DatasetRow Value)> Datasets(RunDetail run)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (dataset, tags) in run.Inputs.Datasets)
        {
            var context = tags.FirstOrDefault(tag => tag.Name == InputStore.Context).Value;
            var name = context is null ? dataset.Name : $"{dataset.Name} ({context})";
            var number = seen[name] = seen.GetValueOrDefault(name) + 1;
            yield return (number == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name} #{number}"), dataset);
        }
    }
}
