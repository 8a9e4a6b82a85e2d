using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Zaffre.Cli;

/// <summary>The part of JMESPath that scripts use most: <c>a.b</c>, <c>a[0].b</c>, <c>[].name</c>. Anything else is refused by name.</summary>
internal static partial class QueryPath
{
    public static JsonNode? Pick(JsonNode? node, string query)
    {
        Check(query);
        var steps = Step().Matches(query).Select(match => match.Value).ToList();
        return Walk(node, steps, 0);
    }

    /// <summary>Refuses what is beyond this reader, before anything is sent.</summary>
    public static void Check(string query)
    {
        if (!Supported().IsMatch(query))
        {
            throw new CliException($"--query '{query}' is beyond what this CLI reads: members and indexes such as status, inputs.lr.value, [0].name or [].name. For full JMESPath pipe the JSON to jq.");
        }
    }

    private static JsonNode? Walk(JsonNode? node, List<string> steps, int at)
    {
        if (at == steps.Count || node is null)
        {
            return node?.DeepClone();
        }

        return steps[at] switch
        {
            "[]" => node is JsonArray all ? new JsonArray([.. all.Select(item => Walk(item, steps, at + 1))]) : null,
            ['[', .. var index, ']'] => node is JsonArray items && int.Parse(index) is var i && i < items.Count ? Walk(items[i], steps, at + 1) : null,
            { } name => node is JsonObject map ? Walk(map[name.Trim('"')], steps, at + 1) : null,
        };
    }

    [GeneratedRegex("""^(?:\[\d*\]|[A-Za-z_][\w]*|"[^"]+")(?:\.(?:[A-Za-z_]\w*|"[^"]+")|\[\d*\])*$""", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Supported();

    [GeneratedRegex("""\[\d*\]|[A-Za-z_]\w*|"[^"]+" """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace, 1000)]
    private static partial Regex Step();
}
