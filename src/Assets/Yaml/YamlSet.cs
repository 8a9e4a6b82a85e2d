using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Assets.Yaml;

/// <summary>
/// Writes <c>--set</c> values over a parsed file: <c>inputs.lr</c>, <c>list[0].name</c>, <c>list.0</c>, and <c>a\.b</c> for a key with a dot. Levels that are
/// missing are made; a text on the way, such as a reference, is an error, and so is a place behind the end of a list. What is written stands at line 0.
/// </summary>
internal static class YamlSet
{
    public static YamlTable Apply(YamlTable table, JsonObject set, List<Problem> problems)
    {
        foreach (var (path, value) in set)
        {
            try
            {
                table = (YamlTable)Write(table, Steps(path), ToNode(value), "");
            }
            catch (YamlFault fault)
            {
                problems.Add(new Problem(ProblemKind.Invalid, "InvalidYaml", fault.Message) { Target = $"--set {path}" });
            }
        }

        return table;
    }

    private static YamlNode Write(YamlNode? node, ReadOnlySpan<Step> path, YamlNode value, string walked)
    {
        if (path.Length == 0)
        {
            return value;
        }

        var step = path[0];
        var here = walked.Length == 0 ? step.Name : step.Index ? $"{walked}[{step.Name}]" : $"{walked}.{step.Name}";
        return node switch
        {
            null or { IsNull: true } when step.Index => InList(new YamlList([], 0, 0), path, value, here),
            null or { IsNull: true } => InTable(new YamlTable([], 0, 0), path, value, here),
            YamlTable table when !step.Index => InTable(table, path, value, here),
            YamlTable => throw new YamlFault($"'{walked}' is a map, and [{step.Name}] asks for an item of a list", 0, 0),
            YamlList list => InList(list, path, value, here),
            YamlText text => throw new YamlFault($"'{walked}' is the text '{text.Text}', and has no '{step.Name}' below it; set '{walked}' itself, or write a map in the file", 0, 0),
            _ => throw new YamlFault($"nothing can be set below '{walked}'", 0, 0),
        };
    }

    private static YamlTable InTable(YamlTable table, ReadOnlySpan<Step> path, YamlNode value, string here)
    {
        var (key, entry) = (path[0].Name, table.Find(path[0].Name));
        var written = Write(entry?.Value, path[1..], value, here);
        return table with
        {
            Entries = [.. entry is null ? table.Entries.Append(new YamlEntry(key, written, 0, 0)) : table.Entries.Select(e => e.Key == key ? e with { Value = written } : e)],
        };
    }

    private static YamlList InList(YamlList list, ReadOnlySpan<Step> path, YamlNode value, string here)
    {
        var count = list.Items.Count;
        if (!int.TryParse(path[0].Name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > count)
        {
            throw new YamlFault($"'{here}' is no item of a list of {count}; {count} is the place behind its end", 0, 0);
        }

        var written = Write(index < count ? list.Items[index] : null, path[1..], value, here);
        return list with { Items = index == count ? [.. list.Items, written] : [.. list.Items.Select((item, i) => i == index ? written : item)] };
    }

    private static Step[] Steps(string path)
    {
        var steps = new List<Step>();
        var name = new StringBuilder();
        for (var i = 0; i < path.Length; i++)
        {
            var closed = path[i] == '[' ? path.IndexOf(']', i) : -1;
            if (closed > i + 1 && path.AsSpan(i + 1, closed - i - 1).IndexOfAnyExceptInRange('0', '9') < 0)
            {
                Take(steps, name, first: i == 0 || path[i - 1] == ']', path);
                steps.Add(new Step(path[(i + 1)..closed], Index: true));
                i = closed;
            }
            else if (path[i] == '.')
            {
                Take(steps, name, first: i > 0 && path[i - 1] == ']', path);
            }
            else
            {
                i += path[i] == '\\' && i + 1 < path.Length && path[i + 1] is '.' or '\\' ? 1 : 0;
                name.Append(path[i]);
            }
        }

        Take(steps, name, first: path.EndsWith(']') && steps.Count > 0, path);
        return steps.Count <= YamlParser.MaxDepth ? [.. steps] : throw new YamlFault($"a path has at most {YamlParser.MaxDepth} levels", 0, 0);
    }

    /// <summary>Takes the name read so far; there may be none only before or behind an index.</summary>
    private static void Take(List<Step> steps, StringBuilder name, bool first, string path)
    {
        if (name.Length > 0)
        {
            steps.Add(new Step(name.ToString(), Index: false));
            name.Clear();
        }
        else if (!first)
        {
            throw new YamlFault($"'{path}' is no path: write names with dots between them, such as inputs.rate or list[0].name", 0, 0);
        }
    }

    private static YamlNode ToNode(JsonNode? value) => value switch
    {
        null => new YamlText("", true, 0, 0),
        JsonObject map => new YamlTable([.. map.Select(p => new YamlEntry(p.Key, ToNode(p.Value), 0, 0))], 0, 0),
        JsonArray list => new YamlList([.. list.Select(ToNode)], 0, 0),
        _ => Scalar(value.Text()!),
    };

    /// <summary>A text is a plain scalar, so that 5 is a number where one may stand; a word that would be null stays a text.</summary>
    private static YamlText Scalar(string text)
    {
        var plain = new YamlText(text, true, 0, 0);
        return plain.IsNull ? plain with { Plain = false } : plain;
    }

    private sealed record Step(string Name, bool Index);
}
