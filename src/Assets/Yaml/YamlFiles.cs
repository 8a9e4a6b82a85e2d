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
                YamlTable table => new YamlMap(set is null ? table : YamlSet.Apply(table, set, problems), name, "", problems),
                { IsNull: true } => new YamlMap(YamlSet.Apply(new YamlTable([], 1, 1), set ?? [], problems), name, "", problems),
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
}
