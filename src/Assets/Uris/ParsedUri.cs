using System.Text.RegularExpressions;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>What a URI names, before anything is looked up.</summary>
internal abstract partial record ParsedUri
{
    public sealed record InDatastore(WorkspaceRef? Workspace, string Datastore, string Path) : ParsedUri;

    public sealed record InAccount(string Account, string Container, string Path) : ParsedUri;

    public sealed record Foreign(Uri Url) : ParsedUri;

    public sealed record OfAsset(string Reference) : ParsedUri;

    private static readonly string[] Unsupported = ["abfss", "abfs", "adl", "s3", "gs", "dbfs", "hdfs", "onelake", "git+https", "git+http", "git+ssh"];

    /// <summary>Reads every form but those of an <see cref="IUriScheme"/>.</summary>
    public static Outcome<ParsedUri> Parse(string uri)
    {
        if (uri.StartsWith("azureml://registries/", StringComparison.OrdinalIgnoreCase))
        {
            return ArmErrors.Unsupported($"assets of registries ('{UriPath.Shown(uri)}')");
        }

        if (Short().Match(uri) is { Success: true } brief)
        {
            return Within(null, brief, uri);
        }

        if (Long().Match(uri) is { Success: true } full)
        {
            return Within(new WorkspaceRef(full.Groups["s"].Value, full.Groups["g"].Value, full.Groups["w"].Value), full, uri);
        }

        if (uri.StartsWith("azureml://locations/", StringComparison.OrdinalIgnoreCase)
            || WorkspaceRef.TryParse(uri, out _, out _)
            || (uri.StartsWith("azureml:", StringComparison.OrdinalIgnoreCase) && AssetNames.Split(uri) is not null))
        {
            return new OfAsset(uri);
        }

        if (Uri.TryCreate(uri, UriKind.Absolute, out var url) && url.OriginalString.Contains("://", StringComparison.Ordinal))
        {
            return OfScheme(url, uri);
        }

        return ArmErrors.Invalid(
            $"'{UriPath.Shown(uri)}' is no URI this server knows: use azureml://datastores/{{name}}/paths/{{path}}, azureml:name:version, a resource id, or an https URL.");
    }

    private static Outcome<ParsedUri> OfScheme(Uri url, string uri)
    {
        if (Unsupported.Contains(url.Scheme, StringComparer.OrdinalIgnoreCase))
        {
            return ArmErrors.Unsupported($"{url.Scheme}:// URIs");
        }

        if (url.Scheme is "wasbs" or "wasb")
        {
            return Blob(url.Host, url.UserInfo, url.AbsolutePath, uri);
        }

        if (url.Scheme is not ("https" or "http") || url.UserInfo.Length > 0)
        {
            return ArmErrors.Invalid($"'{UriPath.Shown(uri)}' is no URI this server can read.");
        }

        var path = url.AbsolutePath.TrimStart('/');
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var container = slash < 0 ? path : path[..slash];
        return IsBlobHost(url.Host) ? Blob(url.Host, container, slash < 0 ? "" : path[slash..], uri, url) : new Foreign(url);
    }

    private static Outcome<ParsedUri> Blob(string host, string container, string path, string uri, Uri? url = null)
    {
        if (!IsBlobHost(host) || container.Length == 0)
        {
            return url is null ? ArmErrors.Invalid($"'{UriPath.Shown(uri)}' must name a container and a blob account: wasbs://container@account.blob.core.windows.net/path.") : new Foreign(url);
        }

        // The encoded text is checked first: decoding must not be what hides a way out.
        var raw = uri.IndexOf("://", StringComparison.Ordinal) is var start && uri.IndexOf('/', start + 3) is var at and >= 0 ? uri[at..] : "";
        if (UriPath.Check(raw.Split('?', '#')[0], uri).Problem is { } problem)
        {
            return problem;
        }

        return UriPath.Check(Uri.UnescapeDataString(path), uri).Then<ParsedUri>(clean => new InAccount(host[..host.IndexOf('.', StringComparison.Ordinal)].ToLowerInvariant(), container, clean));
    }

    private static bool IsBlobHost(string host) =>
        host.Contains(".blob.core.", StringComparison.OrdinalIgnoreCase)
        && (host.EndsWith(".blob.core.windows.net", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".blob.core.localhost", StringComparison.OrdinalIgnoreCase));

    private static Outcome<ParsedUri> Within(WorkspaceRef? workspace, Match match, string uri) =>
        UriPath.Check(match.Groups["p"].Value, uri).Then<ParsedUri>(path => new InDatastore(workspace, match.Groups["d"].Value, path));

    [GeneratedRegex(@"^azureml://datastores/(?<d>[A-Za-z0-9_][A-Za-z0-9_.\-]*)(?:/paths)?(?:/(?<p>.*))?\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.Singleline, 1000)]
    private static partial Regex Short();

    [GeneratedRegex(@"^azureml://subscriptions/(?<s>[^/]+)/resourcegroups/(?<g>[^/]+)(?:/providers/Microsoft.MachineLearningServices)?/workspaces/(?<w>[^/]+)/datastores/(?<d>[A-Za-z0-9_][A-Za-z0-9_.\-]*)(?:/paths)?(?:/(?<p>.*))?\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.Singleline, 1000)]
    private static partial Regex Long();
}
