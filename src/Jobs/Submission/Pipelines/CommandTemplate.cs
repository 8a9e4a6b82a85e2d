using System.Text.RegularExpressions;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>The optional blocks of a component's command: <c>$[[--rate ${{inputs.rate}}]]</c> goes when the optional input has no value.</summary>
internal static partial class CommandTemplate
{
    /// <summary>The command with its blocks decided. <paramref name="absent"/> are the optional inputs without a value.</summary>
    public static string Resolve(string command, Component component, IReadOnlySet<string> absent, string path, Findings findings)
    {
        var resolved = Block().Replace(command, match =>
        {
            var inside = match.Groups["inside"].Value;
            var inputs = Inputs(inside).ToArray();
            foreach (var required in inputs.Where(name => component.Inputs.TryGetValue(name, out var port) && !port.Optional))
            {
                findings.Invalid(path, $"the optional block '{match.Value}' names the input '{required}', which is not optional.");
            }

            return inputs.Any(absent.Contains) ? "" : inside;
        });
        foreach (var name in Inputs(resolved).Where(absent.Contains).Distinct(StringComparer.Ordinal))
        {
            findings.Invalid(path, $"${{{{inputs.{name}}}}} has no value, and the command names it outside of an optional block: write $[[... ${{{{inputs.{name}}}}} ...]], or give the input a value.");
        }

        return resolved;
    }

    private static IEnumerable<string> Inputs(string text) =>
        Expressions.In(text).Where(expression => expression.StartsWith("inputs.", StringComparison.Ordinal)).Select(expression => expression["inputs.".Length..]);

    [GeneratedRegex(@"\$\[\[(?<inside>.*?)\]\]", RegexOptions.ExplicitCapture | RegexOptions.Singleline, 1000)]
    private static partial Regex Block();
}
