namespace Zaffre.Endpoints;

/// <summary>How the server runs its scoring gateway. Registered by Server before <c>AddEndpoints</c>; without it no gateway process is started.</summary>
public sealed record ServingOptions
{
    /// <summary>TLS port of the gateway.</summary>
    public required int GatewayPort { get; init; }

    /// <summary>PEM file of the certificate.</summary>
    public required string CertificateFile { get; init; }

    /// <summary>PEM file of its private key.</summary>
    public required string KeyFile { get; init; }

    /// <summary>Program and leading arguments that start a gateway; <c>--data</c> and the rest follow. By default this very program and <c>gateway</c>.</summary>
    public IReadOnlyList<string> GatewayCommand { get; init; } = Own();

    /// <summary>Plain HTTP port of the gateway for measurements, or null.</summary>
    public int? GatewayHttpPort { get; init; } = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_GATEWAY_HTTP_PORT"), out var port) ? port : null;

    /// <summary>Longest time from the launch of an instance to the end of its <c>init()</c>.</summary>
    public TimeSpan StartDeadline { get; init; } = TimeSpan.FromMinutes(10);

    private static IReadOnlyList<string> Own()
    {
        var program = Environment.ProcessPath ?? "zaffre";
        return Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            ? [program, Environment.GetCommandLineArgs()[0], "gateway"]
            : [program, "gateway"];
    }
}
