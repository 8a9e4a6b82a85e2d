using System.Globalization;
using System.Text.Json.Nodes;

namespace Zaffre.Assets.Yaml;

/// <summary>A parsed node and where it begins (1-based). Shared by aliases; never changed except by <c>set</c>, on a tree of its own.</summary>
internal abstract record YamlNode(int Line, int Column)
{
    public abstract JsonNode? ToJson();

    public bool IsNull => this is YamlText { Plain: true, Text: "" or "~" or "null" or "Null" or "NULL" };
}

internal sealed record YamlText(string Text, bool Plain, int Line, int Column) : YamlNode(Line, Column)
{
    public override JsonNode? ToJson()
    {
        if (IsNull)
        {
            return null;
        }

        return !Plain ? JsonValue.Create(Text) : Text switch
        {
            "true" or "True" or "TRUE" => JsonValue.Create(true),
            "false" or "False" or "FALSE" => JsonValue.Create(false),
            _ when long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
            _ when LooksNumeric && double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonValue.Create(number),
            _ => JsonValue.Create(Text),
        };
    }

    private bool LooksNumeric => Text.Length > 0 && (char.IsAsciiDigit(Text[^1]) || Text[^1] == '.') && Text.IndexOfAny(['-', '+', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) == 0;
}

internal sealed record YamlList(IReadOnlyList<YamlNode> Items, int Line, int Column) : YamlNode(Line, Column)
{
    public override JsonNode ToJson() => new JsonArray([.. Items.Select(item => item.ToJson())]);
}

internal sealed record YamlEntry(string Key, YamlNode Value, int Line, int Column);

internal sealed record YamlTable(IReadOnlyList<YamlEntry> Entries, int Line, int Column) : YamlNode(Line, Column)
{
    public YamlEntry? Find(string key)
    {
        foreach (var entry in Entries)
        {
            if (entry.Key == key)
            {
                return entry;
            }
        }

        return null;
    }

    public override JsonNode ToJson() => new JsonObject(Entries.Select(e => KeyValuePair.Create(e.Key, e.Value.ToJson())));
}
