using System.Net;
using System.Net.Sockets;
using Zaffre.Kernel;

namespace Zaffre.Compute.Staging;

/// <summary>
/// Fetches https inputs, bounded in size and time. Every address that is dialled, redirects included, is checked: never link-local or
/// metadata addresses, private ones only when the options say so.
/// </summary>
internal sealed class RemoteInputs(ComputeOptions options) : IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        MaxAutomaticRedirections = 5,
        ConnectTimeout = TimeSpan.FromSeconds(15),
        ConnectCallback = (context, ct) => ConnectAsync(context.DnsEndPoint, options, ct),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public async Task<Outcome<string>> FetchAsync(Uri address, string target, CancellationToken ct)
    {
        if (File.Exists(target))
        {
            return target;
        }

        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(options.RemoteInputTime);
        try
        {
            using var response = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, limited.Token);
            if (!response.IsSuccessStatusCode)
            {
                return Failed(address, $"the host answered {(int)response.StatusCode}") with { Transient = (int)response.StatusCode is 408 or 429 or >= 500 };
            }

            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            var draft = target + ".part";
            if (!await CopyAsync(response, draft, limited.Token))
            {
                File.Delete(draft);
                return Failed(address, $"it is larger than {options.RemoteInputBytes} bytes");
            }

            File.Move(draft, target);
            return target;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Failed(address, $"it took longer than {options.RemoteInputTime}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return Failed(address, (e.InnerException ?? e).Message) with { Transient = IsTransient(e) };
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<bool> CopyAsync(HttpResponseMessage response, string draft, CancellationToken ct)
    {
        if (response.Content.Headers.ContentLength > options.RemoteInputBytes)
        {
            return false;
        }

        await using var from = await response.Content.ReadAsStreamAsync(ct);
        await using var to = new FileStream(draft, FileMode.Create, FileAccess.Write);
        var buffer = new byte[128 * 1024];
        int read;
        var total = 0L;
        while ((read = await from.ReadAsync(buffer, ct)) > 0)
        {
            total += read;
            if (total > options.RemoteInputBytes)
            {
                return false;
            }

            await to.WriteAsync(buffer.AsMemory(0, read), ct);
        }

        return true;
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint host, ComputeOptions options, CancellationToken ct)
    {
        var addresses = await Dns.GetHostAddressesAsync(host.Host, ct);
        var allowed = addresses.Where(a => PublicAddress.IsPublic(a) || (options.AllowPrivateInputs && !IsLinkLocal(a))).ToArray();
        if (allowed.Length == 0)
        {
            throw new RefusedAddressException($"{host.Host} is not on the public internet; inputs are fetched from public addresses only.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, host.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsLinkLocal(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.IsIPv6LinkLocal || plain.ToString().StartsWith("169.254.", StringComparison.Ordinal);
    }

    // What the network did may pass; a name that does not exist, an address that is refused and a full disk stay.
    private static bool IsTransient(Exception e) =>
        (e is HttpRequestException or HttpIOException || e.InnerException is SocketException)
        && e.InnerException is not (RefusedAddressException or SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData });

    private static Problem Failed(Uri address, string why) =>
        new(ProblemKind.Invalid, "InputNotFetched", $"{address.GetLeftPart(UriPartial.Path)} could not be fetched: {why}.");

    private sealed class RefusedAddressException(string message) : IOException(message);
}
