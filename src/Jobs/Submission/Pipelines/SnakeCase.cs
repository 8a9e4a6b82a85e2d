using System.Text;
using System.Text.Json.Nodes;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>Nodes and components write in snake_case what jobs write in camelCase.</summary>
internal static class SnakeCase
{
    /// <summary>The map with camelCase names on every level but below <c>properties</c>, <c>tags</c> and the like, whose names are the user's own.</summary>
    public static JsonObject ToCamel(JsonObject map)
    {
        var camel = new JsonObject();
        foreach (var (name, value) in map)
        {
            camel[ToCamel(name)] = value is JsonObject inner && name is not ("properties" or "tags") ? ToCamel(inner) : value?.DeepClone();
        }

        return camel;
    }

    /// <summary>The way back.</summary>
    public static JsonObject FromCamel(JsonObject map)
    {
        var snake = new JsonObject();
        foreach (var (name, value) in map)
        {
            snake[FromCamel(name)] = value is JsonObject inner && name is not ("properties" or "tags") ? FromCamel(inner) : value?.DeepClone();
        }

        return snake;
    }

    private static string FromCamel(string name) =>
        string.Concat(name.Select((c, i) => char.IsAsciiLetterUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));

    private static string ToCamel(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            text.Append(name[i] == '_' && i > 0 && i + 1 < name.Length ? char.ToUpperInvariant(name[++i]) : name[i]);
        }

        return text.ToString();
    }
}
