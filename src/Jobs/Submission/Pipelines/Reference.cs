using System.Text.RegularExpressions;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>What the whole value of a node's input or output may be bound to. <paramref name="Step"/> is null for the pipeline's own.</summary>
internal sealed partial record Reference(string? Step, bool Output, string Name)
{
    /// <summary>Reads <c>${{parent.inputs.x}}</c>, <c>${{parent.outputs.x}}</c>, <c>${{parent.jobs.y.outputs.z}}</c> and <c>${{parent.jobs.y.inputs.z}}</c>; null for anything else.</summary>
    public static Reference? TryParse(string text)
    {
        var match = Form().Match(text);
        return match.Success
            ? new Reference(match.Groups["step"] is { Success: true } step ? step.Value : null, match.Groups["kind"].Value == "outputs", match.Groups["name"].Value)
            : null;
    }

    public override string ToString() => $"${{{{parent.{(Step is null ? "" : $"jobs.{Step}.")}{(Output ? "outputs" : "inputs")}.{Name}}}}}";

    [GeneratedRegex(@"^\s*\$\{\{\s*parent\.(jobs\.(?<step>[^.\s{}]+)\.)?(?<kind>inputs|outputs)\.(?<name>[^\s{}]+)\s*\}\}\s*\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Form();
}
