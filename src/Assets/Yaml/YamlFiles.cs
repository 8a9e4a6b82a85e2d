using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Assets.Yaml;

/// <summary>Reads YAML texts into maps, and writes <c>set</c> values over them.</summary>
internal static class YamlFiles
{
    public static YamlMap? Read(string name, string text, List<Problem> problems, JsonObject? set = null)
    {
        try
        {
            return YamlParser.Parse(text) switch
            {
                YamlTable table => new YamlMap(set is null ? table : Apply(table, set, name, problems), name, "", problems),
                { IsNull: true } => new YamlMap(Apply(new YamlTable([], 1, 1), set ?? [], name, problems), name, "", problems),
                var other => Wrong(name, other.Line, other.Column, "the file must hold a map", problems),
            };
        }
        catch (YamlFault fault)
        {
            return Wrong(name, fault.Line, fault.Column, fault.Message, problems);
        }
    }

    private static YamlMap? Wrong(string name, int line, int column, string message, List<Problem> problems)
    {
        problems.Add(new Problem(ProblemKind.Invalid, "InvalidYaml", message) { Target = $"{name}:{line}:{column}" });
        return null;
    }

    private static YamlTable Apply(YamlTable table, JsonObject set, string name, List<Problem> problems)
    {
        foreach (var (path, value) in set)
        {
            var parts = path.Split('.');
            if (parts.Any(p => p.Length == 0) || parts.Length > YamlParser.MaxDepth)
            {
                Wrong(name, 1, 1, $"set: '{path}' is not a dotted path", problems);
            }
            else if (Write(table, parts, ToNode(value)) is { } written)
            {
                table = written;
            }
            else
            {
                Wrong(name, table.Line, table.Column, $"set: a level of '{path}' holds a value that is no map", problems);
            }
        }

        return table;
    }

    private static YamlTable? Write(YamlTable table, ReadOnlySpan<string> path, YamlNode value)
    {
        var entry = table.Find(path[0]);
        var next = value;
        if (path.Length > 1)
        {
            var inner = entry?.Value is null or { IsNull: true } ? new YamlTable([], table.Line, table.Column) : entry.Value as YamlTable;
            if (inner is null || Write(inner, path[1..], value) is not { } changed)
            {
                return null;
            }

            next = changed;
        }

        var key = path[0];
        var entries = entry is null
            ? table.Entries.Append(new YamlEntry(key, next, table.Line, table.Column))
            : table.Entries.Select(e => e.Key == key ? e with { Value = next } : e);
        return table with { Entries = [.. entries] };
    }

    private static YamlNode ToNode(JsonNode? value) => value switch
    {
        null => new YamlText("", true, 1, 1),
        JsonObject map => new YamlTable([.. map.Select(p => new YamlEntry(p.Key, ToNode(p.Value), 1, 1))], 1, 1),
        JsonArray list => new YamlList([.. list.Select(ToNode)], 1, 1),
        _ => new YamlText(value.Text()!, true, 1, 1),
    };
}
