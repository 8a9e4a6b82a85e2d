using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Zaffre.Benchmarks.Core;

/// <summary>A server of its own on free ports, over a data directory of the caller.</summary>
internal sealed partial class ZaffreServer : IAsyncDisposable
{
    private readonly string program;
    private readonly string data;
    private readonly Process process;

    private ZaffreServer(string program, string data, Process process) => (this.program, this.data, this.process) = (program, data, process);

    /// <summary>From the start of the process to the first answer over HTTPS.</summary>
    public TimeSpan Start { get; private init; }

    public static async Task<ZaffreServer> StartAsync(string program, string data)
    {
        var began = Stopwatch.GetTimestamp();
        var process = Process.Start(new ProcessStartInfo(program, ["up", "--data", data, "--port", "0"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var port = await PortAsync(process.StandardOutput);
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);

        // The certificate is checked by the client that measures jobs; here only the answer counts.
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } };
        using var client = new HttpClient(handler);
        while (!await AnswersAsync(client, port))
        {
            await Task.Delay(1);
        }

        return new ZaffreServer(program, data, process) { Start = Stopwatch.GetElapsedTime(began) };
    }

    /// <summary>Proportional set size of the server and everything it started, in MB.</summary>
    public double MemoryInMegabytes() => Directory.EnumerateDirectories("/proc")
        .Where(IsOurs)
        .Sum(folder => PssInKilobytes(folder + "/smaps_rollup")) / 1024.0;

    /// <summary>
    /// Processor time, user and system, of the server's process since its start. Tasks, their launchers and the gateway are processes of their own and do not count,
    /// nor do children that ended.
    /// </summary>
    public TimeSpan ProcessorTime()
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    /// <summary>Runs a verb against this server and returns its output.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        using var verb = Process.Start(new ProcessStartInfo(program, WithData(arguments)) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = await verb.StandardOutput.ReadToEndAsync();
        await verb.WaitForExitAsync();
        return verb.ExitCode == 0 ? output : throw new InvalidOperationException($"zaffre {string.Join(' ', arguments)} ended with {verb.ExitCode}.");
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync("down");
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private string[] WithData(string[] arguments)
    {
        var separator = Array.IndexOf(arguments, "--");
        return separator < 0 ? [.. arguments, "--data", data] : [.. arguments[..separator], "--data", data, .. arguments[separator..]];
    }

    private static async Task<int> PortAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            if (ControlPlane().Match(line) is { Success: true } match)
            {
                return int.Parse(match.Groups["port"].Value, CultureInfo.InvariantCulture);
            }
        }

        throw new InvalidOperationException("The server ended before it said where it listens.");
    }

    private static async Task<bool> AnswersAsync(HttpClient client, int port)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri($"https://localhost:{port}/readyz"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    // The gateway and the tasks outlive the server, so parentage says nothing: all of them name the data directory.
    private bool IsOurs(string folder)
    {
        try
        {
            return char.IsAsciiDigit(folder["/proc/".Length]) && File.ReadAllText(folder + "/cmdline").Contains(data, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static long PssInKilobytes(string file)
    {
        try
        {
            var line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith("Pss:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    [GeneratedRegex(@"https://localhost:(?<port>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ControlPlane();
}
