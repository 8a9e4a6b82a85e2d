namespace Zaffre.Recording.Sanitizing;

/// <summary>Which headers are kept, and what of them.</summary>
internal sealed class HeaderRules(TextRules text, Placeholders names)
{
    private static readonly string[] Kept =
    [
        "accept", "accept-ranges", "allow", "authorization", "azure-asyncoperation", "azureml-model-deployment", "content-encoding", "content-md5", "content-range", "content-type",
        "etag", "if-match", "if-modified-since", "if-none-match", "if-unmodified-since", "last-modified", "location", "operation-location", "prefer", "range", "retry-after",
        "user-agent", "www-authenticate", "x-http-method-override",
    ];

    private static readonly string[] Left =
        ["x-ms-date", "x-ms-request-id", "x-ms-client-request-id", "x-ms-return-client-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id"];

    public SortedDictionary<string, string> Clean(IEnumerable<KeyValuePair<string, string>> headers, string method, bool answer)
    {
        var kept = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in headers.Where(header => Keeps(header.Key, method, answer)))
        {
            kept[name] = Value(name, value, answer);
        }

        return kept;
    }

    // The length of a blob is known by HEAD only from its header.
    private static bool Keeps(string name, string method, bool answer) =>
        Kept.Contains(name, StringComparer.Ordinal)
        || (name.StartsWith("x-ms-", StringComparison.Ordinal) && !Left.Contains(name, StringComparer.Ordinal))
        || name.StartsWith("x-azureml-", StringComparison.Ordinal)
        || (name == "content-length" && answer && method == "HEAD");

    private string Value(string name, string value, bool answer) => name switch
    {
        _ when name.EndsWith("authorization", StringComparison.Ordinal) => Authorization(value),
        "content-md5" or "x-ms-blob-content-md5" or "x-ms-content-crc64" => "{md5}",
        "etag" or "if-match" or "if-none-match" or "x-ms-source-if-match" => value == "*" ? value : names.Of("etag", value),
        "user-agent" => value.Split('(')[0].TrimEnd(),
        _ when SecretNames.IsSecret(name) => text.Secret(value),
        _ => text.Clean(value, answer),
    };

    private string Authorization(string value)
    {
        var space = value.IndexOf(' ', StringComparison.Ordinal);
        var (scheme, rest) = space < 0 ? ("", value) : (value[..space], value[(space + 1)..]);
        return scheme.ToLowerInvariant() switch
        {
            "bearer" => $"{scheme} {text.Secret(rest)}",
            "sharedkey" or "sharedkeylite" => $"{scheme} {text.Account(text.Clean(rest.Split(':')[0], dates: false))}:{names.Of("signature", rest)}",
            _ => $"{scheme} {text.Secret(rest)}".TrimStart(),
        };
    }
}
