namespace Zaffre.Server.Tls;

/// <summary>
/// <c>tls/ca-bundle.pem</c>: what the user trusted before (their own bundle variables, else the system's certificates), and our CA.
/// Written again at every start, so that it follows the system's.
/// </summary>
internal static class CaBundle
{
    private static readonly string[] Variables = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"];

    private static readonly string[] SystemBundles =
    [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];

    public static void Write(string path, string authority)
    {
        var trusted = Find(path) is { } bundle ? File.ReadAllText(bundle).TrimEnd() + "\n" : "";
        var content = trusted + authority + "\n";
        if (File.Exists(path) && File.ReadAllText(path) == content)
        {
            return;
        }

        var temporary = path + ".new";
        File.WriteAllText(temporary, content);
        File.Move(temporary, path, overwrite: true);
    }

    private static string? Find(string own) => Variables
        .Select(Environment.GetEnvironmentVariable)
        .OfType<string>()
        .Where(named => !IsOurs(named, own))
        .Concat(SystemBundles)
        .FirstOrDefault(File.Exists);

    /// <summary>Whether the variable points at a bundle of this or another Zaffre: chaining those would grow them start by start.</summary>
    private static bool IsOurs(string named, string own) =>
        named.Length == 0 || Path.GetFullPath(named) == own || Path.GetFileName(named) == Path.GetFileName(own);
}
