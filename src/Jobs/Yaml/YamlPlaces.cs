using Zaffre.Assets;

namespace Zaffre.Jobs.Yaml;

/// <summary>Finds where in the YAML files that stands, which a path of the REST document names.</summary>
internal sealed class YamlPlaces(YamlReading reading)
{
    private static readonly Dictionary<string, string> Spelled = new(StringComparer.Ordinal)
    {
        ["codeId"] = "code",
        ["computeId"] = "compute",
        ["componentId"] = "component",
        ["environmentId"] = "environment",
        ["uri"] = "path",
        ["jobInputType"] = "type",
        ["jobOutputType"] = "type",
        ["identityType"] = "type",
        ["distributionType"] = "type",
        ["assetName"] = "name",
        ["assetVersion"] = "version",
    };

    /// <summary><c>file:line:column path</c> of the nearest that there is.</summary>
    public string Of(YamlMap root, string path)
    {
        var segments = path.Split('.');
        var (map, i) = (root, segments[0] == "properties" ? 1 : 0);
        while (i < segments.Length)
        {
            if (segments[i] == "componentSpec")
            {
                if (ComponentOf(map) is not { } component)
                {
                    return map.At("component");
                }

                (map, i) = (component, i + 1);
                continue;
            }

            var (key, length) = KeyOf(map, segments.AsSpan(i));
            if (map.ShapeOf(key) is YamlShape.Missing && ComponentOf(map) is { } declared && declared.ShapeOf(key) is not YamlShape.Missing)
            {
                map = declared;
            }

            var last = i + length >= segments.Length;
            if (!last && segments[i + length] == "componentSpec")
            {
                i += length;
            }
            else if (!last && map.Peek(key) is { } below)
            {
                (map, i) = (below, i + length);
            }
            else
            {
                return map.At(key);
            }
        }

        return map.At(null);
    }

    /// <summary>The longest key that the segments begin with: names of inputs may hold dots.</summary>
    private static (string Key, int Length) KeyOf(YamlMap map, ReadOnlySpan<string> segments)
    {
        for (var length = segments.Length; length > 1; length--)
        {
            var joined = string.Join('.', segments[..length]);
            if (map.ShapeOf(joined) is not YamlShape.Missing)
            {
                return (joined, length);
            }
        }

        var plain = segments[0];
        return (map.ShapeOf(plain) is not YamlShape.Missing ? plain : Spelled.GetValueOrDefault(plain) ?? Snake(plain), 1);
    }

    private YamlMap? ComponentOf(YamlMap map) => map.Peek("component")
        ?? (map.PeekText("component") is { } text && YamlReferences.IsLocal(text) ? reading.File(map, "component", text) : null);

    private static string Snake(string name) => string.Concat(name.Select(c => char.IsAsciiLetterUpper(c) ? "_" + char.ToLowerInvariant(c) : c.ToString()));
}
