using System.CommandLine;
using System.Diagnostics;
using Zaffre.Cli;
using Zaffre.Kernel;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary><c>zaffre down</c>: asks the server to end and waits until it has. Running jobs go on; the next <c>up</c> finds them.</summary>
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
                Console.WriteLine($"Stopped the server on {data.Root}.");
                return 0;
            }
        }

        throw new VerbException($"The server (process {state.Pid}) has not ended after {Limit.TotalSeconds} seconds. Its log says why: {data.Path("log", "server.log")}");
    }
}
