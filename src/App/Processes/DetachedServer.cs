using System.Diagnostics;
using System.Globalization;
using System.Text;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary>Starts the same program again in a session of its own, and waits until it is ready or has failed.</summary>
internal static class DetachedServer
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(15);

    public static async Task<int> StartAsync(ServerOptions options, CancellationToken ct)
    {
        var log = options.Data.Path("log", "server.log");
        try
        {
            Directory.CreateDirectory(options.Data.Root);
            Directory.CreateDirectory(Path.GetDirectoryName(log)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"ERROR: {options.Data.Root} cannot be the data directory: {exception.Message}");
            return 1;
        }

        var before = File.Exists(log) ? new FileInfo(log).Length : 0;
        using var server = Start(options, log);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Limit)
        {
            if (server.HasExited)
            {
                await Console.Error.WriteAsync(Tail(log, before));
                return server.ExitCode == 0 ? 1 : server.ExitCode;
            }

            if (ServerState.Read(options.Data) is { } state && state.Pid == server.Id && await IsReadyAsync(options, state, ct))
            {
                ServerText.WriteReady(state);
                Console.WriteLine($"  log            {log}");
                return 0;
            }

            await Task.Delay(Glance, ct);
        }

        await Console.Error.WriteLineAsync($"ERROR: The server (process {server.Id}) is not ready after {Limit.TotalSeconds} seconds. Its log: {log}");
        return 1;
    }

    // A server that ends right after it was ready refuses: the next look at the process says so, with its log.
    private static async Task<bool> IsReadyAsync(ServerOptions options, ServerState state, CancellationToken ct)
    {
        using var client = new LocalClient(options.Data, state);
        try
        {
            await client.WaitUntilReadyAsync(ct);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>The shell opens the log and lets go of the terminal; <c>setsid</c> becomes the server, so the process id is the server's.</summary>
    private static Process Start(ServerOptions options, string log)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        string[] arguments =
        [
            "-c", "exec setsid \"$@\" >>\"$ZAFFRE_LOG\" 2>&1 </dev/null", "zaffre", Environment.ProcessPath!,
            "up", "--data", options.Data.Root, "--port", Number(options.Port), "--proxy-port", Number(options.ProxyPort), "--gateway-port", Number(options.GatewayPort),
            .. options.StrictProxy ? ["--strict-proxy"] : Array.Empty<string>(),
            .. options.Record is { } folder ? ["--record", folder, "--record-limit", Number(options.RecordLimit)] : Array.Empty<string>(),
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["ZAFFRE_LOG"] = log;
        return Process.Start(start)!;
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Tail(string log, long from)
    {
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = Math.Max(from, stream.Length - (64 * 1024));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
