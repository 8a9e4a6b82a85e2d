using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Zaffre.Recording.Sanitizing;

/// <summary>What is replaced in any text, by what it looks like.</summary>
internal sealed partial class TextRules(Placeholders names, Literals literals)
{
    private readonly Dictionary<string, string> own = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gives a GUID or port of this server a name of its own.</summary>
    public void Name(string value, string placeholder) => own[value] = placeholder;

    /// <param name="text">Any text.</param>
    /// <param name="dates">Whether dates are replaced too.</param>
    public string Clean(string text, bool dates) => text.Length == 0 ? text : Pattern().Replace(literals.Replace(text), match => Replacement(match, dates));

    /// <summary>The placeholder of a secret, which is replaced everywhere from now on.</summary>
    public string Secret(string value)
    {
        if (value.Length == 0 || Placeholders.Is(value))
        {
            return value;
        }

        var placeholder = Jwt().IsMatch(value) ? Token(value) : names.Of("secret", value);
        literals.Learn(value, placeholder);
        return placeholder;
    }

    /// <summary>The placeholder of all parameters of a shared access signature, by its <c>sig</c>, percent-encoded or not.</summary>
    public string Sas(string signature)
    {
        var decoded = Uri.UnescapeDataString(signature);
        literals.Learn(decoded, names.Of("signature", decoded));
        return names.Of("sas", decoded);
    }

    /// <summary>The placeholder of a bearer token; tokens of jobs are of another kind.</summary>
    public string Token(string token) => names.Of(IsJobs(token) ? "jobtoken" : "token", token);

    /// <summary>Whether the token is a job's, from its claims.</summary>
    public static bool IsJobs(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3)
        {
            return false;
        }

        try
        {
            var claims = parts[1].Replace('-', '+').Replace('_', '/');
            return JsonNode.Parse(Convert.FromBase64String(claims.PadRight((claims.Length + 3) / 4 * 4, '='))) is JsonObject found && found.ContainsKey("zaffre_job");
        }
        catch (Exception exception) when (exception is FormatException or System.Text.Json.JsonException)
        {
            return false;
        }
    }

    private string Replacement(Match match, bool dates)
    {
        var kind = match.Groups.Values.Skip(1).First(group => group.Success);
        var value = kind.Value;
        return kind.Name switch
        {
            "jwt" => Token(value),
            "sas" => Sas(Signature().Match(value).Groups["value"].Value),
            "sig" => names.Of("signature", value),
            "key" => Learned(value, "key"),
            "guid" => own.GetValueOrDefault(value) ?? names.Of("guid", value.ToLowerInvariant()),
            "port" => own.GetValueOrDefault(value) ?? names.Of("port", value),
            "account" => Account(value),
            "user" => names.Of("user", value),
            "secret" => Secret(value),
            "date" => dates ? "{date}" : value,
            _ => value,
        };
    }

    /// <summary>An id that the server made up, from now on a placeholder.</summary>
    public void Id(string value) => Learned(value, "id");

    /// <summary>The placeholder of a storage account; one that a person named stays, since it says nothing.</summary>
    public string Account(string name) => name.Length >= 10 && name.Any(char.IsAsciiDigit) && !Placeholders.Is(name) ? Learned(name, "account") : name;

    private string Learned(string value, string kind)
    {
        var placeholder = names.Of(kind, value);
        literals.Learn(value, placeholder);
        return placeholder;
    }

    private const string SasNames = "sv|ss|srt|sp|se|st|spr|sip|sr|skoid|sktid|skt|ske|sks|skv|sdd|ses|saoid|suoid|scid|rscc|rscd|rsce|rscl|rsct|si";
    private const string Value = @"[^&\s""'<>\\]*";
    private const string Next = "(?:&amp;|&)";

    // One alternative for each kind, the more telling first.
    [GeneratedRegex(
        @"(?<jwt>eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*)"
        + $"|(?<sas>(?<![A-Za-z0-9_])(?:(?:{SasNames})={Value}{Next})*sig={Value}(?:{Next}(?:{SasNames})={Value})*)"
        + @"|(?<sig>(?<=sig%3[dD])[A-Za-z0-9%+/=]{8,})"
        + @"|(?<secret>(?<=(?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd|ClientSecret)=)[^;\s""'<>{]{4,})"
        + @"|(?<secret>(?<=://)[^/\s:@{}]+:[^/\s@{}]+(?=@))"
        + @"|(?<secret>(?<=(?i:password|passwd|pwd|secret|api_?key|access_?key|account_?key|token)\\?[""']?\s{0,2}[:=]\s{0,2}\\?[""'])[^""'\s{\\][^""'\s\\]{5,}(?=\\?[""']))"
        + @"|(?<secret>(?<=^[A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|_KEY)=)[^\s{""'$][^\s""']{5,})"
        + @"|(?<key>(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==)"
        + @"|(?<guid>(?<![0-9a-fA-F])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F]))"
        + @"|(?<date>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)"
        + "|(?<date>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT)"
        + @"|(?<port>(?<=(?:localhost|127\.0\.0\.1|\[::1\]):)\d{2,5}(?!\d))"
        + @"|(?<account>(?<=//|^)[a-z0-9]{3,24}(?=\.(?:blob|dfs|file)\.core\.))"
        + @"|(?<account>(?<=/storageAccounts/|/blobz/)[a-z0-9]{3,24})"
        + @"|(?<user>(?<=/(?:home|Users)/)[^/\s""':;,&?%{}]+)"
        + @"|(?<user>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline,
        matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Pattern();

    [GeneratedRegex("(?:^|&|;)sig=(?<value>[^&]*)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Signature();

    [GeneratedRegex(@"^eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Jwt();
}
