using System.Text.RegularExpressions;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>The optional blocks of a component's command: <c>$[[--rate ${{inputs.rate}}]]</c> goes when the optional input has no value.</summary>
internal static partial class CommandTemplate
{
    /// <summary>
    /// The command with its blocks decided. <c>Absent</c> are the optional inputs without a value; blocks with inputs that <c>Perhaps</c> have none
    /// stay for <see cref="Finish"/>.
    /// </summary>
    public static string Resolve(string command, Component component, (IReadOnlySet<string> Absent, IReadOnlySet<string> Perhaps) inputs, string path, Findings findings)
    {
        var (absent, perhaps) = inputs;
        var resolved = Block().Replace(command, match =>
        {
            var inside = match.Groups["inside"].Value;
            var named = Inputs(inside).ToArray();
            foreach (var required in named.Where(name => component.Inputs.TryGetValue(name, out var port) && !port.Optional))
            {
                findings.Invalid(path, $"the optional block '{match.Value}' names the input '{required}', which is not optional.");
            }

            return named.Any(absent.Contains) ? "" : named.Any(perhaps.Contains) ? match.Value : inside;
        });
        foreach (var name in Inputs(resolved).Where(absent.Contains).Distinct(StringComparer.Ordinal))
        {
            findings.Invalid(path, $"${{{{inputs.{name}}}}} has no value, and the command names it outside of an optional block: write $[[... ${{{{inputs.{name}}}}} ...]], or give the input a value.");
        }

        return resolved;
    }

    /// <summary>The command with the blocks decided that were left.</summary>
    public static string Finish(string command, IReadOnlyCollection<string> absent) => Block().Replace(command, match =>
        Inputs(match.Groups["inside"].Value).Any(absent.Contains) ? "" : match.Groups["inside"].Value);

    /// <summary>The first of the inputs that the command names; null when it names none of them.</summary>
    public static string? FirstNamed(string command, IReadOnlyCollection<string> inputs) => Inputs(command).FirstOrDefault(inputs.Contains);

    private static IEnumerable<string> Inputs(string text) =>
        Expressions.In(text).Where(expression => expression.StartsWith("inputs.", StringComparison.Ordinal)).Select(expression => expression["inputs.".Length..]);

    [GeneratedRegex(@"\$\[\[(?<inside>.*?)\]\]", RegexOptions.ExplicitCapture | RegexOptions.Singleline, 1000)]
    private static partial Regex Block();
}
