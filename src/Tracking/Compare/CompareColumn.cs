using System.Text.Json.Nodes;

namespace Zaffre.Tracking.Compare;

/// <summary>
/// One thing of all runs as a chart takes it: numbers when every value that is there is one (NaN and infinities are), else categories. <paramref name="Kind"/> is <c>params</c>,
/// <c>metrics</c>, <c>tags</c> or <c>attributes</c>.
/// </summary>
internal sealed record CompareColumn(string Kind, string Name, IReadOnlyList<object?> Values)
{
    private const int MostCategories = 100;

    /// <summary>As a query names it.</summary>
    public string Key => $"{Kind}.{Name}";

    public bool IsNumber { get; } = Values.Any(value => value is not null) && Values.All(value => value is null or double);

    /// <summary>Texts become numbers when all of them are numbers.</summary>
    public static CompareColumn OfTexts(string kind, string name, IReadOnlyList<string?> texts)
    {
        var numbers = texts.Select(text => text is null ? null : PythonNumber.Parse(text)).ToList();
        return texts.Zip(numbers).All(pair => pair.First is null || pair.Second is not null)
            ? new CompareColumn(kind, name, [.. numbers.Select(number => (object?)number)])
            : new CompareColumn(kind, name, [.. texts]);
    }

    /// <summary>The value of the run at a place, for JSON.</summary>
    public JsonNode? At(int run) => Values[run] is double number ? CompareRow.Number(number) : CompareRow.Shown((string?)Values[run]);

    public JsonObject ToJson(bool values)
    {
        var finite = Values.OfType<double>().Where(double.IsFinite).ToList();
        var column = new JsonObject { ["key"] = Key, ["kind"] = Kind, ["name"] = Name, ["type"] = IsNumber ? "number" : "category" };
        if (IsNumber)
        {
            column["min"] = finite.Count == 0 ? null : finite.Min();
            column["max"] = finite.Count == 0 ? null : finite.Max();
            column["notFinite"] = Values.OfType<double>().Count() - finite.Count;
        }
        else
        {
            var all = Values.OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
            column["categories"] = new JsonArray([.. all.Take(MostCategories).Select(CompareRow.Shown)]);
            column["categoryCount"] = all.Count;
        }

        column["missing"] = Values.Count(value => value is null);
        if (values)
        {
            column["values"] = new JsonArray([.. Enumerable.Range(0, Values.Count).Select(At)]);
        }

        return column;
    }
}
