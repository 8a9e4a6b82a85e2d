using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Server;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>The whole server in this process, listening on the loopback, for clients that are programs of their own.</summary>
public sealed class ListeningServer : IAsyncLifetime
{
    private readonly string root = Directory.CreateTempSubdirectory("zaffre-listening-").FullName;
    private WebApplication? app;
    private X509Certificate2? served;

    /// <summary>Scheme, host and port.</summary>
    public string Address => Get<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>What clients trust.</summary>
    public string CertificateFile => Path.Combine(root, "ca.pem");

    public WorkspaceRef Workspace => new(Get<LocalOwner>().SubscriptionId, "zaffre", "main");

    public T Get<T>()
        where T : notnull => app!.Services.GetRequiredService<T>();

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        served = Certify();
        await File.WriteAllTextAsync(CertificateFile, served.ExportCertificatePem());
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listener => listener.UseHttps(served)));
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddZaffre(new DataDirectory(root));
        app = builder.Build();
        app.UseZaffre();
        await app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await app!.StopAsync();
        await app.DisposeAsync();
        served!.Dispose();
        Directory.Delete(root, recursive: true);
    }

    /// <summary>A token of the owner.</summary>
    public async Task<string> OwnerTokenAsync()
    {
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, CustomTrustStore = { served! } };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(Address) };
        using var answer = await Identity.Tokens.AskAsync(client, Get<LocalOwner>());
        return (await Identity.Tokens.JsonAsync(answer)).GetProperty("access_token").GetString()!;
    }

    /// <summary>A job that runs, as Tracking sees it; its token.</summary>
    public async Task<string> JobAsync(string name)
    {
        await Get<IDatabase>().WriteAsync(
            scope => Get<IRuns>().Create(scope, new NewRun { Workspace = Workspace, Id = name, Experiment = "jobs", Status = RunStatus.Running }),
            default);
        return await Get<ITokens>().IssueForJobAsync(Workspace.Child("jobs", name), default);
    }

    private static X509Certificate2 Certify()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    /// <summary>The absolute path of a file of this repository.</summary>
    public static string Repository(string relative)
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Zaffre.slnx")))
        {
            at = at.Parent!;
        }

        return Path.Combine(at.FullName, relative);
    }
}
