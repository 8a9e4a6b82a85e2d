using System.CommandLine;
using System.Diagnostics;
using Zaffre.Cli;
using Zaffre.Gateway;
using Zaffre.Kernel;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary><c>zaffre down</c>: asks the server to end, waits until it has, then ends scoring. Running jobs go on; the next <c>up</c> finds them.</summary>
internal static class DownCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    public static Command Create()
    {
        var command = new Command("down", "Stop the server. Jobs that run go on running.") { CliCommands.Data };
        command.Does((_, data, ct) => RunAsync(data, ct));
        return command;
    }

    private static async Task<int> RunAsync(DataDirectory data, CancellationToken ct)
    {
        if (!ServerState.IsInUse(data))
        {
            await StopServingAsync(data, ct);
            Console.WriteLine($"No server runs on {data.Root}.");
            return 0;
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
                await StopServingAsync(data, ct);
                Console.WriteLine($"Stopped the server on {data.Root}.");
                return 0;
            }
        }

        throw new VerbException($"The server (process {state.Pid}) has not ended after {Limit.TotalSeconds} seconds. Its log says why: {data.Path("log", "server.log")}");
    }

    // Gateway and scoring instances outlive a server that crashes or is replaced; asked to go down, they go too.
    private static async Task StopServingAsync(DataDirectory data, CancellationToken ct)
    {
        if (Directory.Exists(data.Path("gateway")))
        {
            await ServingShutdown.StopAsync(data, ct);
        }
    }
}
