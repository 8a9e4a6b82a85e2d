using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>The items of a <c>parallel_for</c>: a list of objects, or a map whose values they are; every item sets the same inputs.</summary>
internal static class LoopItems
{
    private const int MostDepth = 64;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MostDepth, AllowDuplicateProperties = false };

    /// <summary>The JSON, or null, and a finding, when it is none.</summary>
    public static JsonNode? Parse(string text, string path, Findings findings)
    {
        try
        {
            // A text within a document is checked as a document is: twice the same name, or half a character, would be found too late.
            if (JsonText.Fault(Encoding.UTF8.GetBytes(text), MostDepth) is null && JsonNode.Parse(text, documentOptions: Strict) is (JsonObject or JsonArray) and { } items)
            {
                return items;
            }
        }
        catch (JsonException)
        {
            // Said below.
        }

        findings.Invalid(path, $"'{(text.Length > 80 ? text[..80] + "..." : text)}' is neither a JSON list or map of objects nor ${{{{parent.inputs.x}}}} or ${{{{parent.jobs.y.outputs.z}}}}.");
        return null;
    }

    /// <summary>The inputs that each item sets; null, and findings, when something is wrong with them.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, NodeInput>>? Read(JsonNode items, string path, Findings findings)
    {
        var before = findings.Count;
        var list = items switch
        {
            JsonArray array => array.Select((item, i) => (Item: item, Path: $"{path}[{i}]")).ToArray(),
            JsonObject map => [.. map.Select(pair => (Item: pair.Value, Path: $"{path}.{pair.Key}"))],
            _ => [],
        };
        if (list.Length is 0 or > ParallelFor.MostItems)
        {
            findings.Invalid(path, list.Length == 0 ? "items is empty: the loop would do nothing." : $"there are {list.Length} items; at most {ParallelFor.MostItems} are allowed.");
            return null;
        }

        var read = new List<IReadOnlyDictionary<string, NodeInput>>();
        foreach (var (item, at) in list)
        {
            if (item is not JsonObject map)
            {
                findings.Invalid(at, $"an item is an object with values for inputs of the body, not {(item is null ? "null" : Findings.Kind(item))}.");
                continue;
            }

            read.Add(NodeReader.ReadInputs(map, at, findings));
            if (!read[0].Keys.ToHashSet(StringComparer.Ordinal).SetEquals(read[^1].Keys))
            {
                findings.Invalid(at, $"every item sets the same inputs: this one has {string.Join(", ", read[^1].Keys)}, the first {string.Join(", ", read[0].Keys)}.");
            }
        }

        return findings.Count == before ? read : null;
    }
}
