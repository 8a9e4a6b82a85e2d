using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>
/// A package index on the loopback that offers one wheel, and whose first answers are failures: a 503, a connection that is cut before it answers, then 503 again.
/// </summary>
internal sealed class FlakyIndex : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Task serving;
    private readonly byte[] wheel;
    private readonly int failures;

    public FlakyIndex(byte[] wheel, int failures)
    {
        (this.wheel, this.failures) = (wheel, failures);
        listener.Start();
        serving = ServeAsync();
    }

    /// <summary>How many requests came.</summary>
    public int Requests { get; private set; }

    /// <summary>What tells pip of it; pip itself asks once.</summary>
    public IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["PIP_INDEX_URL"] = $"http://{listener.LocalEndpoint}/simple/", ["PIP_RETRIES"] = "0", ["PIP_CONFIG_FILE"] = "/dev/null",
    };

    public void Dispose()
    {
        listener.Stop();
        serving.ContinueWith(_ => { }, TaskScheduler.Default).Wait(TimeSpan.FromSeconds(5));
        listener.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync();
            await using var stream = client.GetStream();
            try
            {
                await AnswerAsync(stream);
            }
            catch (IOException)
            {
                // It went away.
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var request = await reader.ReadLineAsync() ?? "";
        while (await reader.ReadLineAsync() is { Length: > 0 })
        {
        }

        Requests++;
        var file = request.Contains(".whl", StringComparison.Ordinal);
        if (Requests <= failures && !file)
        {
            // The second failure says nothing at all.
            await (Requests == 2 ? Task.CompletedTask : SendAsync(stream, "503 Service Unavailable", "text/plain", "later"u8.ToArray()));
        }
        else if (!file)
        {
            await SendAsync(stream, "200 OK", "text/html", Encoding.UTF8.GetBytes("<!DOCTYPE html><html><body><a href=\"zaffre_sample-1.0-py3-none-any.whl\">zaffre_sample-1.0-py3-none-any.whl</a></body></html>"));
        }
        else
        {
            await SendAsync(stream, "200 OK", "application/octet-stream", wheel);
        }
    }

    private static async Task SendAsync(NetworkStream stream, string status, string type, byte[] body)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"));
        await stream.WriteAsync(body);
    }
}
