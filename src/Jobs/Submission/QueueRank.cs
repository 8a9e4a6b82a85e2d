using System.Globalization;
using System.Text.Json.Nodes;

namespace Zaffre.Jobs.Submission;

/// <summary>
/// What <c>queueSettings</c> asks for, as one number: tiers go before each other (premium, standard, basic, spot), priorities (3 to 1) within a
/// tier. No tier, and the wire's <c>Null</c>, is standard.
/// </summary>
internal static class QueueRank
{
    /// <summary>Standard tier, middle priority.</summary>
    public const int Default = 2;

    private const string Path = "properties.queueSettings";
    private const int TierStep = 10;

    private static readonly string[] Tiers = ["Spot", "Basic", "Standard", "Premium"];

    public static int Read(JsonObject properties, Findings findings)
    {
        var settings = findings.Map(properties, "queueSettings", "properties");
        return (Tier(findings.Scalar(settings, "jobTier", Path), findings) * TierStep) + Priority(findings.Scalar(settings, "priority", Path), findings);
    }

    private static int Tier(string? text, Findings findings)
    {
        const int standard = 2;
        var at = string.IsNullOrEmpty(text) || text.Equals("Null", StringComparison.OrdinalIgnoreCase) ? standard : Array.FindIndex(Tiers, tier => tier.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (at < 0)
        {
            findings.Invalid($"{Path}.jobTier", $"'{text}' is no tier; {string.Join(", ", Tiers)} are.");
        }

        return at - standard;
    }

    private static int Priority(string? text, Findings findings)
    {
        if (text is null)
        {
            return Default;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var priority) && priority is >= 1 and <= 3)
        {
            return priority;
        }

        findings.Invalid($"{Path}.priority", $"'{text}' is no priority; 1, 2 and 3 are.");
        return Default;
    }
}
