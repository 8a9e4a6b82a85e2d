using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Zaffre.Gateway.Workers;
using Zaffre.Kernel;

namespace Zaffre.Gateway.Scoring;

/// <summary>The head of a response frame: one <c>name: value</c> line for each header that the script set.</summary>
internal static class ResponseHead
{
    private static readonly HashSet<string> Own = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Content-Length", "Date", "Keep-Alive", "Proxy-Authenticate", "Server", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        "x-request-id", "x-ms-request-id", "x-ms-client-request-id", "azureml-model-deployment",
    };

    /// <summary>False when the process ended before the head was whole.</summary>
    public static async ValueTask<bool> ApplyAsync(HttpResponse response, WorkerConnection connection, int length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            if (!await connection.FillAsync(buffer.AsMemory(0, length)))
            {
                return false;
            }

            foreach (var line in Encoding.UTF8.GetString(buffer, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Apply(response, line);
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Sets one header unless it is the gateway's to set or could not stand on the wire.</summary>
    public static void Apply(HttpResponse response, string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0)
        {
            return;
        }

        var (name, value) = (line[..colon].Trim(), line[(colon + 1)..].Trim());
        if (name.Length > 0 && !Own.Contains(name) && name.All(IsTokenCharacter) && HeaderText.CanCarry(value))
        {
            response.Headers.Append(name, value);
        }
    }

    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);
}

/// <summary>The body of a response frame on its way to the caller.</summary>
internal static class ResponseBody
{
    private const int Buffered = 1 << 20;

    /// <summary>
    /// Copies the body and ends the exchange. Bodies up to 1 MiB are taken whole first, so that a slow reader holds no process and a
    /// process that dies half-way still gets an honest answer (false: nothing was written). Larger ones stream.
    /// </summary>
    public static async ValueTask<bool> CopyAsync(HttpResponse response, WorkerConnection connection, int length, DeploymentPool pool)
    {
        response.ContentLength = length;
        if (length > Buffered)
        {
            await StreamAsync(response, connection, length, pool);
            return true;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
        try
        {
            if (!await connection.FillAsync(buffer.AsMemory(0, length)))
            {
                connection.Abandon();
                response.Clear();
                return false;
            }

            Finish(connection, pool);
            await response.BodyWriter.WriteAsync(buffer.AsMemory(0, length), response.HttpContext.RequestAborted);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask StreamAsync(HttpResponse response, WorkerConnection connection, int length, DeploymentPool pool)
    {
        var writer = response.BodyWriter;
        while (length > 0)
        {
            var memory = writer.GetMemory(Math.Min(length, 64 * 1024));
            memory = memory[..Math.Min(memory.Length, length)];
            if (!await connection.FillAsync(memory))
            {
                connection.Abandon();
                response.HttpContext.Abort();
                return;
            }

            writer.Advance(memory.Length);
            length -= memory.Length;
            var flushed = await writer.FlushAsync(response.HttpContext.RequestAborted);
            if (flushed.IsCanceled || flushed.IsCompleted)
            {
                connection.Abandon();
                return;
            }
        }

        Finish(connection, pool);
    }

    public static void Finish(WorkerConnection connection, DeploymentPool pool)
    {
        if (connection.Complete())
        {
            pool.Return(connection);
        }
    }
}
