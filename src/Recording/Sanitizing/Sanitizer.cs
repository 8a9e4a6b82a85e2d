using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using Zaffre.Kernel;
using Zaffre.Recording.Capture;

namespace Zaffre.Recording.Sanitizing;

/// <summary>Turns exchanges of one session into lines without secrets. Not safe for concurrent use.</summary>
internal sealed partial class Sanitizer
{
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 128 };

    private readonly Placeholders names = new();
    private readonly Literals literals = new();
    private readonly TextRules text;
    private readonly JsonRules json;
    private readonly HeaderRules headers;
    private readonly DataDirectory data;
    private bool knowsOwner;

    public Sanitizer(DataDirectory data)
    {
        this.data = data;
        text = new TextRules(names, literals);
        json = new JsonRules(text, names);
        headers = new HeaderRules(text, names);
        literals.Learn(data.Root, "{data}");
    }

    public Exchange Clean(RawExchange raw)
    {
        LearnOwner();
        text.Name(raw.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), "{port}");
        var secrets = SecretNames.AnswersSecrets(raw.Method, raw.Target);
        var authorization = raw.RequestHeaders.FirstOrDefault(header => header.Key == "authorization").Value ?? "";
        return new Exchange
        {
            Number = raw.Number,
            At = Math.Round(raw.At.TotalSeconds, 4),
            Ms = Math.Round(raw.Elapsed.TotalMilliseconds, 2),
            Job = authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && TextRules.IsJobs(authorization["Bearer ".Length..].Trim()),
            Request = new RecordedRequest
            {
                Method = raw.Method,
                Host = text.Clean(raw.Host, dates: false),
                Headers = headers.Clean(raw.RequestHeaders, raw.Method, answer: false),
                Body = Body(raw.RequestBody, TypeOf(raw.RequestHeaders), secrets: false, answer: false),
                Target = Target(raw.Target),
            },
            Answer = new RecordedAnswer
            {
                Status = raw.Status,
                Aborted = raw.Aborted,
                Headers = headers.Clean(raw.AnswerHeaders, raw.Method, answer: true),
                Body = Body(raw.AnswerBody, TypeOf(raw.AnswerHeaders), secrets, answer: true),
            },
        };
    }

    private static string TypeOf(IEnumerable<KeyValuePair<string, string>> headers) =>
        headers.FirstOrDefault(header => header.Key == "content-encoding").Value is { Length: > 0 } and not "identity"
            ? "encoded"
            : headers.FirstOrDefault(header => header.Key == "content-type").Value ?? "";

    // Path and query by the rules of text; the parameters of a signature become one, wherever they stand.
    private string Target(string target)
    {
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        if (mark < 0)
        {
            return text.Clean(target, dates: false);
        }

        var parts = target[(mark + 1)..].Split('&');
        var signature = parts.FirstOrDefault(part => part.StartsWith("sig=", StringComparison.OrdinalIgnoreCase));
        var plain = (signature is null ? parts : parts.Where(part => !SasParameter().IsMatch(part))).Select(Parameter);
        return text.Clean(target[..mark], dates: false) + "?" + string.Join('&', signature is null ? plain : plain.Append(text.Sas(signature["sig=".Length..])));
    }

    private string Parameter(string parameter)
    {
        var equals = parameter.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && SecretNames.IsSecret(parameter[..equals])
            ? $"{parameter[..equals]}={text.Secret(Uri.UnescapeDataString(parameter[(equals + 1)..]))}"
            : text.Clean(parameter, dates: false);
    }

    private RecordedBody? Body(CapturedBody body, string type, bool secrets, bool answer)
    {
        if (body.Length == 0)
        {
            return null;
        }

        if (type == "encoded" || body.Bytes is not { } bytes || !Utf8.IsValid(bytes) || bytes.AsSpan().ContainsAnyInRange((byte)0, (byte)8))
        {
            return new RecordedBody { Length = body.Length, Sha256 = body.Sha256 };
        }

        var found = Encoding.UTF8.GetString(bytes);
        if (type.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            return new RecordedBody { Form = Form(found) };
        }

        if (TryJson(found, out var document))
        {
            if (answer && !secrets)
            {
                json.LearnIds(document);
            }

            return new RecordedBody { Json = json.Clean(document, secrets, answer) };
        }

        return new RecordedBody { Text = secrets ? text.Secret(found) : Xml(text.Clean(found, answer), answer) };
    }

    private SortedDictionary<string, string> Form(string body)
    {
        var form = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var field in body.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = equals < 0 ? (field, "") : (Decoded(field[..equals]), Decoded(field[(equals + 1)..]));
            form[name] = SecretNames.IsSecret(name) || name == "client_assertion" || name == "code" ? text.Secret(literals.Replace(value)) : text.Clean(value, dates: false);
        }

        return form;

        static string Decoded(string part) => Uri.UnescapeDataString(part.Replace('+', ' '));
    }

    private static bool TryJson(string body, out JsonNode? document)
    {
        document = null;
        if (body.AsSpan().TrimStart() is not ['{' or '[', ..])
        {
            return false;
        }

        try
        {
            document = JsonNode.Parse(body, documentOptions: Depth);
            return document?.ToJsonString() is not null;
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            // Not JSON after all, or with a member twice: text.
            return false;
        }
    }

    private string Xml(string body, bool answer) => answer && body.Contains("</", StringComparison.Ordinal)
        ? Etags().Replace(body, match => match.Groups["md5"].Success ? "{md5}" : names.Of("etag", match.Value))
        : body;

    // Written at the server's first start, maybe after the first request came.
    private void LearnOwner()
    {
        if (knowsOwner || !File.Exists(data.Path("keys", "owner.json")))
        {
            return;
        }

        knowsOwner = true;
        var owner = JsonNode.Parse(File.ReadAllBytes(data.Path("keys", "owner.json"))) as JsonObject ?? [];
        foreach (var (member, placeholder) in new[] { ("subscriptionId", "{subscription}"), ("tenantId", "{tenant}"), ("clientId", "{client}"), ("objectId", "{owner}") })
        {
            if (owner.Text(member) is { } value)
            {
                text.Name(value, placeholder);
            }
        }

        literals.Learn(owner.Text("clientSecret") ?? "", "{owner-secret}");
    }

    [GeneratedRegex("^(?:sv|ss|srt|sp|se|st|spr|sip|sr|sig|skoid|sktid|skt|ske|sks|skv|sdd|ses|saoid|suoid|scid|rscc|rscd|rsce|rscl|rsct|si)=", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SasParameter();

    [GeneratedRegex("(?<=<Etag>)[^<]+(?=</Etag>)|(?<md5>(?<=<Content-MD5>)[^<]+(?=</Content-MD5>))", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Etags();
}
