using System.CommandLine;
using System.Diagnostics;
using Zaffre.Cli;
using Zaffre.Gateway;
using Zaffre.Kernel;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary>
/// <c>zaffre down</c>: asks the server to end and waits until it has, then scoring with its instances (a server that is killed or told to end by
/// anything else leaves gateway and instances scoring). Running jobs go on; the next <c>up</c> finds them.
/// </summary>
internal static class DownCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private static readonly Option<bool> KeepScoring = new("--keep-scoring") { Description = "Leave the gateway running, as for an upgrade: deployments go on answering." };

    public static Command Create()
    {
        var command = new Command("down", "Stop the server and its gateway. Jobs that run go on running.") { CliCommands.Data, KeepScoring };
        command.Does(async (parsed, data, ct) =>
        {
            var stopped = await StopServerAsync(data, ct);
            stopped |= !parsed.GetValue(KeepScoring) && await StopScoringAsync(data, ct);
            Console.WriteLine(stopped ? $"Stopped the server on {data.Root}." : $"No server runs on {data.Root}.");
            return 0;
        });
        return command;
    }

    private static async Task<bool> StopScoringAsync(DataDirectory data, CancellationToken ct)
    {
        if (!Directory.Exists(data.Path("gateway")))
        {
            return false;
        }

        // Instances may be there without their gateway; a gateway that the server has only just started answers in a moment.
        var found = GatewayProcess.Exists(data);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Limit; await Task.Delay(25, ct))
        {
            await ServingShutdown.StopAsync(data, ct);
            if (!GatewayProcess.Exists(data) && !InstancesLive(data))
            {
                return found;
            }
        }

        if (!GatewayProcess.Exists(data))
        {
            Console.WriteLine("The gateway has ended; instances still finish requests that they have begun.");
            return found;
        }

        throw new VerbException($"The gateway has not ended after {Limit.TotalSeconds} seconds. Its log says why: {data.Path("gateway", "gateway.log")}");
    }

    /// <summary>Whether a scoring instance's launcher still holds its lock: the record of how the instance ended comes last.</summary>
    private static bool InstancesLive(DataDirectory data) =>
        Directory.EnumerateDirectories(Path.Combine(ServingFolder.Open(data).Root, "w")).Any(worker => IsHeld(data.Path("tasks", Path.GetFileName(worker), "1", "lock")));

    private static bool IsHeld(string path)
    {
        try
        {
            // The runtime asks for a shared lock, which a launcher does not grant.
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static async Task<bool> StopServerAsync(DataDirectory data, CancellationToken ct)
    {
        if (!ServerState.IsInUse(data))
        {
            return false;
        }

        var state = Verb.Running(data);
        if (!Posix.Signal(state.Pid, Posix.Sigterm))
        {
            throw new VerbException($"The server's process {state.Pid} cannot be signalled; it belongs to another user.");
        }

        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Limit; await Task.Delay(15, ct))
        {
            if (!ServerState.IsInUse(data))
            {
                return true;
            }
        }

        throw new VerbException($"The server (process {state.Pid}) has not ended after {Limit.TotalSeconds} seconds. Its log says why: {data.Path("log", "server.log")}");
    }
}
