using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Zaffre.Kernel;
using Zaffre.Server.Tls;

namespace Zaffre.Tests.Unit.Server;

public sealed class ServerCertificateTests : IDisposable
{
    private readonly DataDirectory data = new(Directory.CreateTempSubdirectory("zaffre-tls-").FullName);
    private readonly DateTimeOffset now = DateTimeOffset.UtcNow;

    public void Dispose() => Directory.Delete(data.Root, recursive: true);

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("management.azure.com", true)]
    [InlineData("any.blob.core.windows.net", true)]
    [InlineData("any.blob.core.localhost", true)]
    [InlineData("www.example.com", false)]
    [InlineData("azure.com", false)]
    [InlineData("evilmanagement.azure.com", false)]
    public void A_certificate_of_our_ca_is_trusted_for_permitted_names_only(string name, bool trusted)
    {
        using var authority = LocalAuthority.Open(data, now);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        using var leaf = authority.Sign(key, names, now, TimeSpan.FromDays(1));
        File.WriteAllText(data.Path("leaf.pem"), leaf.ExportCertificatePem());
        Assert.Equal(trusted, Run("verify", "-CAfile", data.Path("tls", "ca.pem"), data.Path("leaf.pem")) == 0);
    }

    [Fact]
    public void The_servers_certificate_verifies_and_its_keys_are_private()
    {
        var files = ServerCertificate.Ensure(data, now);
        Assert.Equal(0, Run("verify", "-CAfile", data.Path("tls", "ca.pem"), "-verify_hostname", "login.microsoftonline.com", files.Certificate));
        Assert.NotEqual(0, Run("verify", "-CAfile", data.Path("tls", "ca.pem"), "-verify_hostname", "www.example.com", files.Certificate));
        foreach (var secret in new[] { files.Key, data.Path("tls", "ca.key") })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(secret));
        }

        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(files.Certificate));
        Assert.Empty(certificate.Subject);
        Assert.True(certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().Critical);
    }

    [Fact]
    public void A_second_start_changes_nothing_and_one_near_the_end_renews()
    {
        var files = ServerCertificate.Ensure(data, now);
        var (first, authority) = (File.ReadAllText(files.Certificate), File.ReadAllText(data.Path("tls", "ca.pem")));
        ServerCertificate.Ensure(data, now.AddDays(300));
        Assert.Equal(first, File.ReadAllText(files.Certificate));
        ServerCertificate.Ensure(data, now.AddDays(340));
        Assert.NotEqual(first, File.ReadAllText(files.Certificate));
        Assert.Equal(authority, File.ReadAllText(data.Path("tls", "ca.pem")));
        Assert.EndsWith(authority.TrimEnd(), File.ReadAllText(files.Bundle).TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_bundle_follows_the_systems_and_does_not_grow()
    {
        var files = ServerCertificate.Ensure(data, now);
        var length = new FileInfo(files.Bundle).Length;
        ServerCertificate.Ensure(data, now);
        Assert.Equal(length, new FileInfo(files.Bundle).Length);
        Assert.True(length > 10_000, "the system's certificates are missing");
    }

    private static int Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}
