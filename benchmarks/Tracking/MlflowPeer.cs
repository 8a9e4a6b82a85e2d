using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Zaffre.Benchmarks.Tracking;

/// <summary>MLflow's own server over SQLite, where this machine has one.</summary>
internal sealed class MlflowPeer : IDisposable
{
    private readonly Process process;

    private MlflowPeer(Process process, HttpClient http) => (this.process, Http) = (process, http);

    public HttpClient Http { get; }

    /// <summary>Null without the program <c>mlflow</c>.</summary>
    public static async Task<MlflowPeer?> TryStartAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var port = FreePort();
        var arguments = new[] { "server", "--backend-store-uri", $"sqlite:///{folder}/mlflow.db", "--artifacts-destination", folder + "/artifacts", "--host", "127.0.0.1", "--port", $"{port}" };
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo("mlflow", arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception)
        {
            return null;
        }

        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        while (!process.HasExited && !await AnswersAsync(http))
        {
            await Task.Delay(100);
        }

        return process.HasExited ? throw new InvalidOperationException("MLflow's server ended.") : new MlflowPeer(process, http);
    }

    public void Dispose()
    {
        Http.Dispose();
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
    }

    private static async Task<bool> AnswersAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri("/health", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
