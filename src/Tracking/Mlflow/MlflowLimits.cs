using System.Text.RegularExpressions;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow;

/// <summary>
/// MLflow's limits on what is logged. Over-long keys are refused; over-long param and run tag values are cut, as MLflow's
/// server does by default.
/// </summary>
internal static partial class MlflowLimits
{
    public const int Key = 250;
    public const int ParamValue = 6000;
    public const int TagValue = 8000;
    public const int ExperimentTagValue = 5000;
    public const int ExperimentName = 500;
    public const int BatchMetrics = 1000;
    public const int BatchParams = 100;
    public const int BatchTags = 100;
    public const int BatchEntities = 1000;
    public const int BatchBytes = 1_000_000;
    public const int SearchResults = 50_000;
    public const int HistoryPage = 25_000;

    public static MetricPoint Metric(MlflowRequest metric)
    {
        var key = MetricName(metric.RequiredText("key"));
        return new MetricPoint(
            key,
            metric.Double("value") ?? throw MlflowErrors.Missing("value"),
            metric.Long("timestamp") ?? throw MlflowErrors.Missing("timestamp"),
            metric.Long("step") ?? 0);
    }

    /// <summary>The name of a metric when it may be one.</summary>
    public static string MetricName(string name) => Name("metric", name);

    /// <summary>The same point for the logged model it was measured on, or null.</summary>
    public static ModelPoint? OfModel(MlflowRequest metric, MetricPoint point) =>
        metric.Text("model_id") is { } model ? new ModelPoint(model, metric.TextOrEmpty("dataset_name"), metric.TextOrEmpty("dataset_digest"), point) : null;

    public static (string Name, string Value) Param(MlflowRequest param) =>
        (Name("parameter", param.RequiredText("key")), Cut(param.TextOrEmpty("value"), ParamValue));

    public static (string Name, string Value) Tag(MlflowRequest tag) =>
        (Name("tag", tag.RequiredText("key")), Cut(tag.TextOrEmpty("value"), TagValue));

    /// <summary>The form of a run's id, which MLflow asks for in batches; elsewhere a malformed id is one that does not exist.</summary>
    public static string RunId(string id) => RunIds().IsMatch(id) ? id : throw MlflowErrors.Invalid($"Invalid run ID: '{(id.Length > 80 ? id[..80] + "..." : id)}'");

    /// <summary>A batch names each param once.</summary>
    public static void EachOnce(IReadOnlyCollection<(string Name, string Value)> values)
    {
        var twice = values.GroupBy(value => value.Name, StringComparer.Ordinal).Where(group => group.Skip(1).Any()).Select(group => $"'{group.Key}'").ToList();
        if (twice.Count > 0)
        {
            throw MlflowErrors.Invalid($"Duplicate parameter keys have been submitted: [{string.Join(", ", twice)}]. Please ensure the request contains only one param value per param key.");
        }
    }

    /// <summary>A tag or a metadata entry of a trace; values that are too long are cut.</summary>
    public static (string Name, string Value) TracePair(MlflowRequest tag)
    {
        var name = tag.RequiredText("key");
        if (name.Contains('\0', StringComparison.Ordinal))
        {
            throw MlflowErrors.Invalid("Invalid value for parameter 'key' supplied: it contains a NUL character.");
        }

        return name.Length <= Key
            ? (name, Cut(tag.TextOrEmpty("value"), TagValue))
            : throw MlflowErrors.Invalid($"Trace tag key '{name[..50]}...' had length {name.Length}, which exceeded length limit of {Key}");
    }

    public static (string Name, string Value) ExperimentTag(MlflowRequest tag)
    {
        var value = tag.TextOrEmpty("value");
        return value.Length <= ExperimentTagValue
            ? (Name("tag", tag.RequiredText("key")), value)
            : throw MlflowErrors.Invalid($"Tag value '{value[..50]}...' had length {value.Length}, which exceeded length limit of {ExperimentTagValue}");
    }

    public static string ExperimentNamed(string name) => name.Length <= ExperimentName
        ? name
        : throw MlflowErrors.InvalidValue("name", $"'{name[..50]}...'", $"the experiment name exceeds the maximum length of {ExperimentName} characters.");

    public static int Results(MlflowRequest request, int fallback, int most)
    {
        var asked = request.Long("max_results") ?? fallback;
        return asked >= 1 && asked <= most
            ? (int)asked
            : throw MlflowErrors.InvalidValue("max_results", asked.ToString(), $"it must be between 1 and {most}.");
    }

    private static string Name(string kind, string name)
    {
        if (name.Length > Key)
        {
            throw MlflowErrors.Invalid($"{char.ToUpperInvariant(kind[0])}{kind[1..]} name '{name[..50]}...' had length {name.Length}, which exceeded length limit of {Key}");
        }

        if (!Allowed().IsMatch(name))
        {
            throw MlflowErrors.Invalid($"Invalid {kind} name: '{name}'. Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colons(:) and slashes (/).");
        }

        return name[0] != '/' && name.Split('/').All(part => part is not ("" or "." or ".."))
            ? name
            : throw MlflowErrors.Invalid($"Invalid {kind} name: '{name}'. Names must be relative paths without empty, '.' or '..' parts.");
    }

    /// <summary>Cuts by UTF-16 units, never inside a surrogate pair.</summary>
    private static string Cut(string value, int most) => value.Length <= most
        ? value
        : value[..(char.IsHighSurrogate(value[most - 1]) ? most - 1 : most)];

    [GeneratedRegex(@"\A[a-zA-Z0-9][\w\-]{0,255}\z", RegexOptions.None, 1000)]
    private static partial Regex RunIds();

    [GeneratedRegex(@"\A[/\w.\- :]*\z", RegexOptions.NonBacktracking)]
    private static partial Regex Allowed();
}
