using Zaffre.Kernel;

namespace Zaffre.Gateway;

/// <summary>How a gateway process is started.</summary>
public sealed record GatewayOptions
{
    /// <summary>The server's data directory; the gateway keeps its table under <c>gateway/</c> in it.</summary>
    public required DataDirectory Data { get; init; }

    /// <summary>TLS port on 127.0.0.1 and ::1; 0 picks one.</summary>
    public int Port { get; init; } = 8444;

    /// <summary>A plain HTTP port on loopback for measurements, or null for none.</summary>
    public int? HttpPort { get; init; }

    /// <summary>PEM file of the certificate; null takes <c>tls/server.pem</c> of the data directory.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file of its private key; null takes <c>tls/server.key</c> of the data directory.</summary>
    public string? KeyFile { get; init; }
}

/// <summary>The gateway process: scores until it is stopped. Needs no server and no database while it runs.</summary>
public static class GatewayHost
{
    /// <summary>Runs until <paramref name="ct"/> or a stop request on the control socket; returns the process exit code.
    /// 3 means that another gateway of the same data directory is running.</summary>
    public static Task<int> RunAsync(GatewayOptions options, CancellationToken ct) => GatewayProgram.RunAsync(options, ct);

    /// <summary>The verb <c>zaffre gateway --data DIR [--port N] [--http-port N] [--certificate FILE --key FILE]</c>.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        if (GatewayArguments.Parse(args) is not { } options)
        {
            await Console.Error.WriteLineAsync("usage: zaffre gateway --data DIR [--port N] [--http-port N] [--certificate FILE --key FILE]");
            return 2;
        }

        return await RunAsync(options, CancellationToken.None);
    }
}
