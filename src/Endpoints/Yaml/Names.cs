using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Endpoints.Online;

namespace Zaffre.Endpoints.Yaml;

/// <summary>What the YAML of endpoints and deployments shares.</summary>
internal static class Names
{
    /// <summary>A required name that follows the rule, or null after the report.</summary>
    public static string? Read(YamlMap map, string key, string what)
    {
        if (map.Text(key, required: true) is not { } name)
        {
            return null;
        }

        if (OnlineName.Problem(what, name) is { } problem)
        {
            map.Error(key, problem);
            return null;
        }

        return name;
    }

    /// <summary>The object without members that are null.</summary>
    public static JsonObject Compact(JsonObject members)
    {
        foreach (var name in members.Where(m => m.Value is null).Select(m => m.Key).ToList())
        {
            members.Remove(name);
        }

        return members;
    }
}
