using System.Globalization;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Tracking.Compare;

/// <summary>What a comparison was asked for.</summary>
internal sealed record CompareQuery(IReadOnlyList<string> Runs)
{
    /// <summary>The most runs that are compared at once.</summary>
    public const int MostRuns = 100;

    /// <summary>The parts of an answer, in their order.</summary>
    public static readonly IReadOnlyList<string> Sections = ["attributes", "params", "metrics", "tags", "inputs", "artifacts", "origin", "columns"];

    private static readonly string[] Known = ["runs", "include", "only", "value", "view", "x", "y", "color", "path", "offset", "limit", "api-version"];

    public IReadOnlySet<string> Include { get; init; } = new HashSet<string>(Sections, StringComparer.Ordinal);

    /// <summary>Rows that are the same are left out.</summary>
    public bool OnlyDifferent { get; init; }

    /// <summary>Which value of a metric stands for it in columns: <c>latest</c>, <c>min</c> or <c>max</c>.</summary>
    public string Value { get; init; } = "latest";

    /// <summary><c>parallel</c>, <c>scatter</c>, or empty for the whole comparison.</summary>
    public string View { get; init; } = "";

    /// <summary>The columns of a scatter plot: x, y and colour.</summary>
    public IReadOnlyList<string> Axes { get; init; } = [];

    public static Outcome<CompareQuery> Read(IQueryCollection query)
    {
        var problems = query.Keys.Where(name => !Known.Contains(name, StringComparer.Ordinal)).Select(name => ArmErrors.Invalid($"There is no parameter '{name}'.", name)).ToList();
        var runs = query["runs"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (runs.Length is < 2 or > MostRuns)
        {
            problems.Add(ArmErrors.Invalid($"runs names 2 to {MostRuns} runs, separated by commas; there are {runs.Length.ToString(CultureInfo.InvariantCulture)}.", "runs"));
        }

        if (runs.GroupBy(run => run, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            problems.Add(ArmErrors.Invalid($"The run '{Cut(twice.Key)}' is named more than once.", "runs"));
        }

        var include = query["include"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries);
        problems.AddRange(include.Where(name => !Sections.Contains(name, StringComparer.Ordinal)).Select(name => ArmErrors.Invalid($"include names {string.Join(", ", Sections)}; '{Cut(name)}' is none of them.", "include")));
        var (only, value, view) = (OneOf(query, "only", problems, "", "different"), OneOf(query, "value", problems, "latest", "min", "max"), OneOf(query, "view", problems, "", "parallel", "scatter"));
        var axes = new[] { query["x"].ToString(), query["y"].ToString(), query["color"].ToString() };
        if (view == "scatter" && axes.Take(2).Any(axis => axis.Length == 0))
        {
            problems.Add(ArmErrors.Invalid("A scatter plot needs x and y: params.NAME, metrics.NAME, tags.NAME or attributes.NAME.", axes[0].Length == 0 ? "x" : "y"));
        }

        return problems.Count > 0 ? Problem.Combine(problems) : new CompareQuery(runs)
        {
            Include = new HashSet<string>(view.Length > 0 ? ["columns"] : include.Length > 0 ? include : Sections, StringComparer.Ordinal),
            OnlyDifferent = only.Length > 0,
            Value = value,
            View = view,
            Axes = view == "scatter" ? axes : [],
        };
    }

    private static string OneOf(IQueryCollection query, string name, List<Problem> problems, params string[] values)
    {
        var asked = query[name].ToString();
        if (asked.Length == 0 || values.Contains(asked, StringComparer.Ordinal))
        {
            return asked.Length == 0 ? values[0] : asked;
        }

        problems.Add(ArmErrors.Invalid($"{name} is {string.Join(" or ", values.Where(value => value.Length > 0))}; '{Cut(asked)}' is not.", name));
        return values[0];
    }

    private static string Cut(string text) => text.Length > 100 ? text[..100] + "..." : text;
}
