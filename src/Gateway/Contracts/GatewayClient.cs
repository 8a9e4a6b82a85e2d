using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Zaffre.Gateway;

/// <summary>A running gateway as it describes itself.</summary>
public sealed record GatewayStatus(int ProcessId, string Build, int Port, int? HttpPort, long TableVersion);

/// <summary>The server's side of the gateway's control socket. File permissions are the authentication. Thread safe.</summary>
public sealed class GatewayClient : IDisposable
{
    private readonly HttpClient http;

    public GatewayClient(ServingFolder folder) =>
        http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(folder.ControlSocket), ct);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        })
        {
            BaseAddress = new Uri("http://gateway/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };

    /// <summary>The build of this program, as a gateway started from it reports it.</summary>
    public static string OwnBuild => Control.GatewaySelf.Build;

    /// <summary>The gateway's description, or null when none answers.</summary>
    public async Task<GatewayStatus?> FindAsync(CancellationToken ct)
    {
        try
        {
            return await http.GetFromJsonAsync("status", GatewayJson.Default.GatewayStatus, ct);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Makes <paramref name="table"/> the gateway's own; returns after it routes by it and it is on disk. Throws when no gateway answers.</summary>
    public async Task PushAsync(RoutingTable table, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync("table", table, GatewayJson.Default.RoutingTable, ct);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Returns when the gateway is gone (or was never there).</summary>
    public async Task WaitUntilGoneAsync(CancellationToken ct)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri("alive", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, ct);
            await using var stream = await answer.Content.ReadAsStreamAsync(ct);
            while (await stream.ReadAsync(new byte[64], ct) > 0)
            {
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            ct.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Counters of every deployment.</summary>
    public async Task<IReadOnlyList<DeploymentCounters>> CountersAsync(CancellationToken ct) =>
        await http.GetFromJsonAsync("counters", GatewayJson.Default.DeploymentCountersArray, ct) ?? [];

    /// <summary>Has the gateway load ONNX models and keep them for the table that names them. Throws when no gateway answers, or when it ends meanwhile.</summary>
    public async Task<OnnxAnswer> PrepareAsync(OnnxRoute route, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync("models", route, GatewayJson.Default.OnnxRoute, ct);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync(GatewayJson.Default.OnnxAnswer, ct) ?? new OnnxAnswer();
    }

    /// <summary>Generations of its table that the gateway could not load.</summary>
    public async Task<IReadOnlyList<OnnxRefusal>> RefusedAsync(CancellationToken ct) =>
        await http.GetFromJsonAsync("models", GatewayJson.Default.OnnxRefusalArray, ct) ?? [];

    /// <summary>Asks the gateway to finish running requests and end; false when none answers.</summary>
    public async Task<bool> StopAsync(CancellationToken ct)
    {
        try
        {
            using var answer = await http.PostAsync(new Uri("stop", UriKind.Relative), null, ct);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            return false;
        }
    }

    public void Dispose() => http.Dispose();
}
