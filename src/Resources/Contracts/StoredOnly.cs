using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Zaffre.Resources;

/// <summary>Tells callers which members of an answer are kept without an engine behind them (docs/stored-only.md).</summary>
public static class StoredOnly
{
    /// <summary>The header of a single resource's answer: comma-separated paths.</summary>
    public const string Header = "x-zaffre-stored-only";

    /// <summary>Marks the answer that shows a stored document; nothing is added when nothing is stored only.</summary>
    public static void Mark(HttpContext context, ArmResource type, JsonObject document)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(type);
        var paths = string.Join(", ", type.KeptOnly(document));
        if (paths.Length > 0)
        {
            context.Response.Headers[Header] = paths;
        }
    }

    /// <summary>Those of <paramref name="paths"/> at which the document holds something: null, empty maps and empty lists are nothing.</summary>
    public static IEnumerable<string> Present(JsonObject document, params IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return paths.Where(path =>
        {
            JsonNode? node = document;
            foreach (var part in path.Split('.'))
            {
                node = (node as JsonObject)?[part];
            }

            return node is JsonObject { Count: > 0 } or JsonArray { Count: > 0 } or JsonValue;
        });
    }
}
