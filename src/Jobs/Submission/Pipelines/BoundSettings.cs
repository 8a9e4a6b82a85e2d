using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>
/// What a node says beside its inputs and outputs may be bound to a value too, as clients allow it: <c>compute: ${{parent.inputs.where}}</c>. The value
/// must be known when the pipeline is submitted.
/// </summary>
internal static class BoundSettings
{
    private static readonly string[] Members = ["computeId", "resources", "distribution", "limits", "queue_settings", "environment_variables"];

    /// <summary>The node with the values in place of the references.</summary>
    public static Node Resolve(Node node, Level level, Findings findings)
    {
        JsonObject? document = null;
        foreach (var member in Members)
        {
            if (node.Document[member] is { } value && IsBound(value))
            {
                document ??= node.Document.Copy();
                document[member] = Resolved(value, $"{node.Path}.{member}", level, findings);
            }
        }

        return document is null ? node : node with { Document = document };
    }

    private static bool IsBound(JsonNode? value) => value switch
    {
        JsonObject map => map.Any(pair => IsBound(pair.Value)),
        JsonValue => Reference.TryParse(ZaffreJson.Text(value) ?? "") is not null,
        _ => false,
    };

    private static JsonNode? Resolved(JsonNode? value, string path, Level level, Findings findings)
    {
        if (value is JsonObject map)
        {
            return new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, Resolved(pair.Value, $"{path}.{pair.Key}", level, findings))));
        }

        if (Reference.TryParse(ZaffreJson.Text(value) ?? "") is not { } reference)
        {
            return value?.DeepClone();
        }

        var bound = Interface.Value(new NodeInput(path) { Bound = reference }, level, findings);
        if (bound.HasValue && (bound.From is not null || !bound.IsLiteral))
        {
            findings.Invalid(path, bound.From is null
                ? $"{reference} is a {bound.Type}; a value is needed here."
                : $"{reference} is known only when a step has ended; what a step runs on must be known before.");
            return null;
        }

        return bound.HasValue ? JsonValue.Create(bound.Value) : null;
    }
}
