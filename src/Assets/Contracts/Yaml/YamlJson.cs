using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Assets.Yaml;

/// <summary>Reads one YAML document as JSON, within the bounds on depth and size that the readers of this server share.</summary>
public static class YamlJson
{
    /// <summary>The root mapping; a problem <c>InvalidYaml</c> that says line and column when the text is not YAML or no mapping.</summary>
    public static Outcome<JsonObject> Read(string text, string name)
    {
        try
        {
            return YamlParser.Parse(text).ToJson() is JsonObject root
                ? root
                : new Problem(ProblemKind.Invalid, "InvalidYaml", $"{name} must be one YAML mapping.");
        }
        catch (YamlFault fault)
        {
            return new Problem(ProblemKind.Invalid, "InvalidYaml", $"{name} is not valid YAML (line {fault.Line}, column {fault.Column}): {fault.Message}.");
        }
    }
}
