using System.CommandLine;
using Zaffre.Cli;
using Zaffre.Kernel;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary>A verb about the server of a data directory.</summary>
internal static class Verb
{
    /// <summary>Runs the verb; a <see cref="VerbException"/> becomes one message and exit code 1.</summary>
    public static void Does(this Command command, Func<ParseResult, DataDirectory, CancellationToken, Task<int>> run) => command.SetAction(async (parsed, ct) =>
    {
        try
        {
            return await run(parsed, CliCommands.DataOf(parsed), ct);
        }
        catch (Exception exception) when (exception is VerbException or HttpRequestException)
        {
            await Console.Error.WriteLineAsync("ERROR: " + exception.Message);
            return 1;
        }
    });

    /// <summary>The server that uses the data directory; a <see cref="VerbException"/> when none does.</summary>
    public static ServerState Running(DataDirectory data) => ServerState.FindRunning(data) ?? throw new VerbException(
        ServerState.IsInUse(data)
            ? $"The server on {data.Root} is starting or ending. Try again in a moment."
            : $"No server runs on {data.Root}. Start one with: zaffre up --detach --data {data.Root}. If one runs elsewhere, name its data directory with --data or ZAFFRE_DATA.");
}
