using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Zaffre.Kernel;

namespace Zaffre.Server.Tls;

/// <summary>
/// The CA of this data directory: <c>tls/ca.pem</c> and <c>tls/ca.key</c> (0600), made at first start. Trusted through
/// environment variables only, never installed.
/// </summary>
internal sealed class LocalAuthority : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);

    // How far the clock of a client (a container, a virtual machine) may be behind ours without calling a new certificate not yet valid.
    private static readonly TimeSpan ClockLag = TimeSpan.FromDays(1);

    private readonly X509Certificate2 certificate;

    private LocalAuthority(X509Certificate2 certificate) => this.certificate = certificate;

    public string Pem => certificate.ExportCertificatePem();

    public static LocalAuthority Open(DataDirectory data, DateTimeOffset now)
    {
        var (certificateFile, keyFile) = (data.Path("tls", "ca.pem"), data.Path("tls", "ca.key"));
        if (File.Exists(certificateFile) && File.Exists(keyFile))
        {
            var found = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            if (found.NotAfter.ToUniversalTime() > (now + ServerCertificate.Lifetime).UtcDateTime)
            {
                return new LocalAuthority(found);
            }

            found.Dispose();
        }

        Directory.CreateDirectory(data.Path("tls"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = Make(key, now);
        PrivateFile.Write(keyFile, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        File.WriteAllText(certificateFile, made.ExportCertificatePem() + "\n");
        return new LocalAuthority(X509Certificate2.CreateFromPemFile(certificateFile, keyFile));
    }

    /// <summary>Signs a server certificate for the public key; its names are the subject alternative names and nothing else.</summary>
    public X509Certificate2 Sign(ECDsa key, SubjectAlternativeNameBuilder names, DateTimeOffset now, TimeSpan lifetime)
    {
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build(critical: true));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(certificate, true, false));
        return request.Create(certificate, now - ClockLag, now + lifetime, RandomNumberGenerator.GetBytes(16));
    }

    public void Dispose() => certificate.Dispose();

    private static X509Certificate2 Make(ECDsa key, DateTimeOffset now)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        var request = new CertificateRequest($"CN=Zaffre local CA {id}, O=Zaffre", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(NameConstraints.Permit(["localhost", .. AzureNames.Exact, .. AzureNames.Below], [IPAddress.Loopback, IPAddress.IPv6Loopback]));
        return request.CreateSelfSigned(now - ClockLag, now + Lifetime);
    }
}
