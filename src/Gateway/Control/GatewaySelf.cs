using System.Reflection;
using System.Security.Cryptography.X509Certificates;

namespace Zaffre.Gateway.Control;

/// <summary>What this gateway process is: its build, ports and certificate.</summary>
internal sealed class GatewaySelf(string certificateFile, string keyFile) : IDisposable
{
    private readonly Lock gate = new();
    private X509Certificate2? certificate;
    private DateTime loaded;

    /// <summary>Identifies the binary: a gateway of another build is replaced by the server that finds it.</summary>
    public static string Build { get; } = typeof(GatewaySelf).Module.ModuleVersionId.ToString("N")
        + "/" + (Assembly.GetEntryAssembly()?.GetName().Version?.ToString() ?? "0");

    public int Port { get; set; }

    public int? HttpPort { get; set; }

    /// <summary>The certificate in use; a renewed file is taken with the next push of the table.</summary>
    public X509Certificate2 Certificate => Volatile.Read(ref certificate) ?? Load();

    public GatewayStatus Status(long version) => new(Environment.ProcessId, Build, Port, HttpPort, version);

    public void ReloadCertificate()
    {
        if (File.GetLastWriteTimeUtc(certificateFile) != loaded)
        {
            Load();
        }
    }

    public void Dispose() => certificate?.Dispose();

    private X509Certificate2 Load()
    {
        lock (gate)
        {
            loaded = File.GetLastWriteTimeUtc(certificateFile);
            certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            return certificate;
        }
    }
}
