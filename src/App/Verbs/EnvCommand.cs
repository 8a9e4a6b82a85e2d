using System.CommandLine;
using Zaffre.Cli;

namespace Zaffre.App;

/// <summary><c>zaffre env</c>: the variables as shell lines, for <c>eval "$(zaffre env)"</c>.</summary>
internal static class EnvCommand
{
    public static Option<ConnectionMode> Mode { get; } = new("--mode") { Description = "proxy (every client) or direct (clients that read ARM_CLOUD_METADATA_URL).", DefaultValueFactory = _ => ConnectionMode.Proxy };

    public static Command Create()
    {
        var command = new Command("env", "Print the environment variables with which clients use this server.") { CliCommands.Data, Mode };
        command.Does(async (parsed, data, ct) =>
        {
            var mode = parsed.GetValue(Mode);
            var set = await ClientEnvironment.SetAsync(data, mode, ct);
            foreach (var name in ClientEnvironment.Unset(set))
            {
                Console.WriteLine($"unset {name}");
            }

            foreach (var (name, value) in set)
            {
                Console.WriteLine($"export {name}={Quote(value)}");
            }

            await WarnAsync(mode, ct);
            return 0;
        });
        return command;
    }

    /// <summary>Says on standard error what the mode misses on this machine.</summary>
    public static async Task WarnAsync(ConnectionMode mode, CancellationToken ct)
    {
        foreach (var missing in await ClientEnvironment.MissingAsync(mode, ct))
        {
            await Console.Error.WriteLineAsync("WARNING: " + missing);
        }
    }

    private static string Quote(string value) => $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
