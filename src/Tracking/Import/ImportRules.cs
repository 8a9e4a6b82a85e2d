using System.Text.RegularExpressions;
using Zaffre.Resources;

namespace Zaffre.Tracking.Import;

/// <summary>Which ids and names an import takes; each answers what is wrong, or null.</summary>
internal static partial class ImportRules
{
    public static string? Run(string id) => ResourceName.Problem("run id", id);

    public static string? Model(string name) => ResourceName.Problem("model name", name);

    public static string? LoggedModel(string id) => LoggedModelId().IsMatch(id) ? null : "a logged model's id is 'm-' and 1 to 64 letters or digits.";

    public static string? Trace(string id) => TraceId().IsMatch(id) ? null : "a trace's id has 1 to 250 letters, digits, '-' and '_'.";

    public static string? Assessment(string id) => TraceId().IsMatch(id) ? null : "an assessment's id has 1 to 250 letters, digits, '-' and '_'.";

    [GeneratedRegex(@"\Am-[A-Za-z0-9]{1,64}\z", RegexOptions.NonBacktracking)]
    private static partial Regex LoggedModelId();

    [GeneratedRegex(@"\A[A-Za-z0-9_\-]{1,250}\z", RegexOptions.NonBacktracking)]
    private static partial Regex TraceId();
}
