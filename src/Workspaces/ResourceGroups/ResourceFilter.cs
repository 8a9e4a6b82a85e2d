using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>
/// The <c>$filter</c> of resource lists: comparisons joined by <c>and</c>, of <c>resourceType</c>, <c>resourceGroup</c>, <c>name</c>, <c>location</c>,
/// <c>tagName</c>, <c>tagValue</c> (<c>eq</c>, and <c>ne</c> except for tags), and <c>substringof('text', name)</c>.
/// </summary>
internal sealed partial class ResourceFilter
{
    private readonly List<Func<JsonObject, bool>> conditions = [];
    private string? tagName;
    private string? tagValue;

    /// <summary>The filter, or why the text is none.</summary>
    public static Outcome<ResourceFilter> Parse(string text)
    {
        var filter = new ResourceFilter();
        var at = 0;
        while (at < text.Length)
        {
            var match = Clause().Match(text, at);
            if (!match.Success || !filter.Add(match))
            {
                return ArmErrors.Invalid($"'{text}' is no filter of resources: write resourceType, resourceGroup, name, location, tagName or tagValue eq '...', or substringof('...', name), joined by and.", "$filter", "InvalidFilterInQueryString");
            }

            at = match.Index + match.Length;
        }

        return filter;
    }

    /// <summary>Whether a rendered resource passes.</summary>
    public bool Matches(JsonObject resource) => conditions.TrueForAll(condition => condition(resource)) && HasTag(resource.Object("tags") ?? []);

    private bool HasTag(JsonObject tags) => (tagName, tagValue) switch
    {
        (null, null) => true,
        ({ } name, null) => tags.Any(tag => Same(tag.Key, name)),
        ({ } name, { } value) => tags.Any(tag => Same(tag.Key, name) && tag.Value.Text() == value),
        (null, { } value) => tags.Any(tag => tag.Value.Text() == value),
    };

    private bool Add(Match clause)
    {
        var value = clause.Groups["value"].Value.Replace("''", "'", StringComparison.Ordinal);
        if (clause.Groups["part"].Success)
        {
            conditions.Add(resource => resource.Text("name")!.Contains(value, StringComparison.OrdinalIgnoreCase));
            return true;
        }

        var equal = clause.Groups["operator"].Value.Equals("eq", StringComparison.OrdinalIgnoreCase);
        switch (clause.Groups["member"].Value.ToUpperInvariant())
        {
            case "RESOURCETYPE":
                conditions.Add(resource => Same(resource.Text("type")!, value) == equal);
                return true;
            case "RESOURCEGROUP":
                conditions.Add(resource => Same(resource.Text("id")!.Split('/')[4], value) == equal);
                return true;
            case "NAME":
                conditions.Add(resource => Same(resource.Text("name")!, value) == equal);
                return true;
            case "LOCATION":
                conditions.Add(resource => Same(resource.Text("location") ?? "", value) == equal);
                return true;
            case "TAGNAME" when equal && tagName is null:
                tagName = value;
                return true;
            case "TAGVALUE" when equal && tagValue is null:
                tagValue = value;
                return true;
            default:
                return false;
        }
    }

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"\G\s*((?<member>[A-Za-z]+)\s+(?<operator>eq|ne)\s+'(?<value>([^']|'')*)'|(?<part>substringof)\(\s*'(?<value>([^']|'')*)'\s*,\s*name\s*\))\s*(\z|and(?=\s)\s*(?!\z))", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Clause();
}
