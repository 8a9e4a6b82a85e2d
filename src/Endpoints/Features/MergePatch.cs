using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Endpoints.Features;

/// <summary>JSON merge patch (RFC 7396) over resource documents.</summary>
internal static class MergePatch
{
    /// <summary>A new document: members of <paramref name="patch"/> replace or, being null, remove; objects merge.</summary>
    public static JsonObject Apply(JsonObject document, JsonObject patch)
    {
        var result = document.Copy();
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                result.Remove(name);
            }
            else
            {
                result[name] = value is JsonObject inner && result[name] is JsonObject present ? Apply(present, inner) : value.DeepClone();
            }
        }

        return result;
    }
}
