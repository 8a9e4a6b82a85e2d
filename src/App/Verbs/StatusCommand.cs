using System.CommandLine;
using System.Text.Json;
using Zaffre.Cli;
using Zaffre.Kernel;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary><c>zaffre status</c>: whether a server uses the data directory, and where it answers. Exit code 3 when none does.</summary>
internal static class StatusCommand
{
    private const int NotRunning = 3;

    private static readonly Option<bool> Json = new("--json") { Description = "Print the addresses as one JSON object." };

    public static Command Create()
    {
        var command = new Command("status", "Say whether a server runs, and where. Exit code 3 when none does.") { CliCommands.Data, Json };
        command.Does((parsed, data, _) => Task.FromResult(Run(data, parsed.GetValue(Json))));
        return command;
    }

    private static int Run(DataDirectory data, bool json)
    {
        if (ServerState.FindRunning(data) is not { } state)
        {
            Console.WriteLine(json ? "{\"running\":false}" : ServerState.IsInUse(data) ? $"The server on {data.Root} is starting or ending." : $"No server runs on {data.Root}.");
            return NotRunning;
        }

        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new { running = true, data = data.Root, state.Pid, state.Url, state.ProxyUrl, state.GatewayUrl, state.Port, state.ProxyPort, state.GatewayPort, state.Started },
                ZaffreJson.Options));
            return 0;
        }

        Console.WriteLine($"A server runs on {data.Root} since {state.Started:u}.");
        ServerText.WriteAddresses(state);
        return 0;
    }
}
