using System.Text;
using System.Text.RegularExpressions;

namespace Zaffre.Jobs.Submission;

/// <summary>
/// The expressions of a command: <c>${{inputs.x}}</c> and <c>${{outputs.x}}</c>. A value takes the expression's place as it is,
/// without quotes, as Azure does; quoting is the author's choice.
/// </summary>
internal static partial class Expressions
{
    /// <summary>Stands for the job's name in the path of an output.</summary>
    public const string NameMacro = "${{name}}";

    /// <summary>Every expression of <paramref name="text"/>, without its braces and blanks.</summary>
    public static IEnumerable<string> In(string text) => Expression().Matches(text).Select(match => match.Groups["inner"].Value.Trim());

    /// <summary>Reports every expression of <paramref name="text"/> that names nothing.</summary>
    public static void Check(string text, string path, IReadOnlyCollection<string> inputs, IReadOnlyCollection<string> outputs, Findings findings)
    {
        foreach (var expression in In(text).Distinct(StringComparer.Ordinal))
        {
            var (kind, name) = Split(expression);
            var (known, label) = kind switch
            {
                "inputs" => (inputs, "input"),
                "outputs" => (outputs, "output"),
                _ => (null, ""),
            };
            if (known is null)
            {
                findings.Invalid(path, $"${{{{{expression}}}}} is no expression of a command job; it may use ${{{{inputs.name}}}} and ${{{{outputs.name}}}}.");
            }
            else if (!known.Contains(name, StringComparer.Ordinal))
            {
                var declared = known.Count == 0 ? "it declares none" : "it declares " + string.Join(", ", known);
                findings.Invalid(path, $"${{{{{expression}}}}} names an {label} that the job does not have: {declared}.");
            }
        }
    }

    /// <summary>Puts the values in place; an expression without a value stays as it is.</summary>
    public static string Substitute(string text, IReadOnlyDictionary<string, string> inputs, IReadOnlyDictionary<string, string> outputs) =>
        Expression().Replace(text, match =>
        {
            var (kind, name) = Split(match.Groups["inner"].Value.Trim());
            var values = kind switch
            {
                "inputs" => inputs,
                "outputs" => outputs,
                _ => null,
            };
            return values is not null && values.TryGetValue(name, out var value) ? value : match.Value;
        });

    /// <summary>How many bytes the text has once literals of the given sizes are in place, without putting them there.</summary>
    public static long BytesWith(string text, IReadOnlyDictionary<string, int> literals) => Encoding.UTF8.GetByteCount(text) + In(text)
        .Select(Split)
        .Where(part => part.Kind == "inputs" && literals.ContainsKey(part.Name))
        .Sum(part => Math.Max(0L, literals[part.Name] - "${{inputs.}}".Length - part.Name.Length));

    /// <summary>Puts the macros of an output's path in place: <c>name</c>, <c>output_name</c>, <c>default_datastore</c>.</summary>
    public static string SubstituteMacros(string uri, string job, string output, string defaultDatastore) =>
        Expression().Replace(uri, match => match.Groups["inner"].Value.Trim() switch
        {
            "name" => job,
            "output_name" => output,
            "default_datastore" => defaultDatastore,
            _ => match.Value,
        });

    private static (string Kind, string Name) Split(string expression)
    {
        var dot = expression.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? (expression, "") : (expression[..dot], expression[(dot + 1)..]);
    }

    [GeneratedRegex(@"\$\{\{(?<inner>[^{}]*)\}\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Expression();
}
