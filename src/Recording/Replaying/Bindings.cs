using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Zaffre.Recording.Replaying;

/// <summary>What the placeholders of a recording stand for on the server it is replayed against.</summary>
internal sealed partial class Bindings
{
    private static readonly string[] Firm = ["guid", "id", "account", "subscription", "tenant", "client", "owner", "data"];

    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    public Bindings(ReplayTarget target)
    {
        values["{subscription}"] = target.SubscriptionId;
        values["{tenant}"] = target.TenantId;
        values["{client}"] = target.ClientId;
        values["{owner}"] = target.ObjectId;
        values["{owner-secret}"] = target.ClientSecret;
        values["{data}"] = target.Data;
        values["{port}"] = target.Url.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The value, when an answer brought it or the target has it.</summary>
    public string? Find(string placeholder) => values.GetValueOrDefault(placeholder);

    public void Bind(string placeholder, string value) => values[placeholder] = value;

    /// <summary>Whether an answer that brings another value for it differs; secrets, dates and the like are new each time.</summary>
    public static bool IsFirm(string placeholder) => Firm.Contains(KindOf(placeholder), StringComparer.Ordinal);

    public static string KindOf(string placeholder) => placeholder[1..^1].Split(':')[0];

    /// <summary>The text with every placeholder's value; one that nothing brought yet is made up and then kept.</summary>
    public string Fill(string template, Func<string, string>? encode = null) => Placeholder().Replace(template, match => encode is null ? ValueOf(match.Value) : encode(ValueOf(match.Value)));

    /// <summary>The pieces of a template: texts and placeholders in turn.</summary>
    public static IEnumerable<(string Text, bool IsPlaceholder)> Pieces(string template)
    {
        var at = 0;
        foreach (Match match in Placeholder().Matches(template))
        {
            if (match.Index > at)
            {
                yield return (template[at..match.Index], false);
            }

            yield return (match.Value, true);
            at = match.Index + match.Length;
        }

        if (at < template.Length)
        {
            yield return (template[at..], false);
        }
    }

    private string ValueOf(string placeholder)
    {
        if (!values.TryGetValue(placeholder, out var value))
        {
            values[placeholder] = value = MadeUp(placeholder);
        }

        return value;
    }

    private static string MadeUp(string placeholder)
    {
        var number = placeholder.Trim('{', '}').Split(':').ElementAtOrDefault(1) ?? "1";
        return KindOf(placeholder) switch
        {
            "guid" => Guid.NewGuid().ToString(),
            "id" => Guid.NewGuid().ToString("N"),
            "key" => Convert.ToBase64String(RandomNumberGenerator.GetBytes(64)),
            "account" => "zaffrereplay" + number,
            "user" => "user" + number,
            "port" => "9" + number,
            "etag" => "\"0x0\"",
            "date" => "2026-01-01T00:00:00Z",
            _ => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
        };
    }

    [GeneratedRegex(@"\{(?:subscription|tenant|client|owner|owner-secret|data|port|date|md5|(?:secret|token|jobtoken|signature|sas|key|account|guid|id|port|etag|user):\d+)\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Placeholder();
}
