using System.Text.Json.Nodes;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>The inputs of a step that are known only when it is about to start.</summary>
internal static class LatePlanning
{
    /// <summary>Those of a node: bound to values that steps make, to outputs of loops, or set by the loop around it.</summary>
    public static Dictionary<string, LateInput> Of(Part part)
    {
        var late = new Dictionary<string, LateInput>(StringComparer.Ordinal);
        foreach (var (name, port) in part.Component.Inputs)
        {
            var bound = part.Inputs[name];
            if (part.Fed.Contains(name))
            {
                late[name] = new LateInput(port);
            }
            else if (bound.From is not null)
            {
                late[name] = Of(port, bound, $"{part.Node.Path}.inputs.{name}", part.Planning.Findings);
            }
        }

        return late;
    }

    /// <summary>What is known of the input now: where it comes from, and how data reaches the step.</summary>
    public static LateInput Of(Port port, Bound bound, string path, Findings findings) => new(port)
    {
        Job = bound.From?.Job,
        Name = bound.From?.Name,
        OfInput = bound.From?.OfInput == true,
        Mode = ModeOf(port, bound.Mode, path, findings),
        WireMode = bound.Mode,
    };

    /// <summary>What the steps of a pipeline find as its inputs: of the late ones only where they will be.</summary>
    public static Dictionary<string, Bound> Below(Part part, Dictionary<string, LateInput> late) => part.Inputs.ToDictionary(
        pair => pair.Key,
        pair => late.TryGetValue(pair.Key, out var input)
            ? new Bound(input.Port.Type, "") { From = new LateSource(part.Id.Value, pair.Key, OfInput: true), Mode = pair.Value.Mode }
            : pair.Value,
        StringComparer.Ordinal);

    /// <summary>The late inputs stand in the document when they are known.</summary>
    public static void RemovePlaceholders(JsonObject document, IEnumerable<string> late)
    {
        foreach (var name in late)
        {
            (document["inputs"] as JsonObject)?.Remove(name);
        }
    }

    private static InputMode ModeOf(Port port, string? mode, string path, Findings findings) => port.IsPrimitive
        ? InputMode.Direct
        : InputsAndOutputs.ReadInput(new JsonObject { ["jobInputType"] = port.Type, ["uri"] = "later", ["mode"] = mode }, path, findings)?.Mode ?? InputMode.Mount;
}
