using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Zaffre.Kernel;

namespace Zaffre.Server.Tls;

/// <summary>
/// The certificate of our listeners: <c>tls/server.pem</c> and <c>tls/server.key</c> (0600), renewed at start when it ends soon
/// or was made for other names.
/// </summary>
internal static class ServerCertificate
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(397);

    private static readonly TimeSpan Renewal = TimeSpan.FromDays(60);

    private static readonly string[] Names =
    [
        "localhost",
        .. AzureNames.Exact,
        .. AzureNames.Below.Select(parent => "*." + parent),
        "*.blob.core.localhost",
        "*.dfs.core.localhost",
    ];

    /// <summary>Makes CA, certificate and bundle where they are missing or old; the paths are in the result.</summary>
    public static TlsFiles Ensure(DataDirectory data, DateTimeOffset now)
    {
        var files = new TlsFiles(data.Path("tls", "server.pem"), data.Path("tls", "server.key"), data.Path("tls", "ca-bundle.pem"));
        using var authority = LocalAuthority.Open(data, now);
        if (!IsCurrent(files, authority, now))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var names = new SubjectAlternativeNameBuilder();
            foreach (var name in Names)
            {
                names.AddDnsName(name);
            }

            names.AddIpAddress(IPAddress.Loopback);
            names.AddIpAddress(IPAddress.IPv6Loopback);
            using var certificate = authority.Sign(key, names, now, Lifetime);
            PrivateFile.Write(files.Key, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
            File.WriteAllText(files.Certificate, certificate.ExportCertificatePem() + "\n" + authority.Pem + "\n");
        }

        CaBundle.Write(files.Bundle, authority.Pem);
        return files;
    }

    private static bool IsCurrent(TlsFiles files, LocalAuthority authority, DateTimeOffset now)
    {
        if (!File.Exists(files.Certificate) || !File.Exists(files.Key))
        {
            return false;
        }

        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(files.Certificate));
        using var issuer = X509Certificate2.CreateFromPem(authority.Pem);
        var identifier = certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier;
        var issuerIdentifier = issuer.Extensions.OfType<X509SubjectKeyIdentifierExtension>().First().SubjectKeyIdentifierBytes;
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames());
        return certificate.NotAfter.ToUniversalTime() > (now + Renewal).UtcDateTime
            && identifier is { } found && found.Span.SequenceEqual(issuerIdentifier.Span)
            && names.Order(StringComparer.Ordinal).SequenceEqual(Names.Order(StringComparer.Ordinal));
    }
}

/// <summary>Where the certificate, its key and the bundle lie.</summary>
internal sealed record TlsFiles(string Certificate, string Key, string Bundle);
