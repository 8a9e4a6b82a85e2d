using System.CommandLine;
using Zaffre.Cli;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary><c>zaffre up</c>: runs a server in this terminal, or with <c>--detach</c> behind it.</summary>
internal static class UpCommand
{
    private static readonly Option<int> Port = PortOption("--port", 8443, "TLS port of the control plane");
    private static readonly Option<int> ProxyPort = PortOption("--proxy-port", 8888, "Port of the CONNECT listener");
    private static readonly Option<int> GatewayPort = PortOption("--gateway-port", 8444, "TLS port of the scoring gateway");
    private static readonly Option<bool> Detach = new("--detach") { Description = "Return when the server is ready; its log goes to log/server.log in the data directory." };
    private static readonly Option<bool> StrictProxy = new("--strict-proxy") { Description = "The CONNECT listener refuses every host but the Azure names that this server answers for." };

    private static readonly Option<string?> Record = new("--record") { Description = "Record every request and answer, without secrets, into files of this folder." };
    private static readonly Option<int> RecordLimit = LimitOption();

    public static Command Create()
    {
        var command = new Command("up", "Start a server.") { CliCommands.Data, Port, ProxyPort, GatewayPort, Detach, StrictProxy, Record, RecordLimit };
        command.SetAction((parsed, ct) =>
        {
            var options = OptionsOf(parsed);
            return parsed.GetValue(Detach) ? DetachedServer.StartAsync(options, ct) : ServerHost.RunAsync(options, ServerText.WriteReady, ct);
        });
        return command;
    }

    /// <summary><c>--port 0</c> picks every port that is not named itself.</summary>
    private static ServerOptions OptionsOf(ParseResult parsed)
    {
        var port = parsed.GetValue(Port);
        return new ServerOptions
        {
            Data = CliCommands.DataOf(parsed),
            Port = port,
            ProxyPort = Chosen(ProxyPort),
            GatewayPort = Chosen(GatewayPort),
            StrictProxy = parsed.GetValue(StrictProxy),
            Record = parsed.GetValue(Record) is { Length: > 0 } folder ? Path.GetFullPath(folder) : null,
            RecordLimit = parsed.GetValue(RecordLimit),
        };

        int Chosen(Option<int> option) => port == 0 && parsed.GetResult(option) is null or { Implicit: true } ? 0 : parsed.GetValue(option);
    }

    private static Option<int> LimitOption()
    {
        var option = new Option<int>("--record-limit") { Description = "Megabytes that the recording may take; the oldest file goes first.", DefaultValueFactory = _ => 256 };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var limit) || limit < 1))
            {
                result.AddError($"--record-limit is a number of megabytes, at least 1, not '{result.Tokens[0].Value}'.");
            }
        });
        return option;
    }

    private static Option<int> PortOption(string name, int standard, string what)
    {
        var option = new Option<int>(name) { Description = $"{what} on 127.0.0.1 and ::1; 0 picks a free one.", DefaultValueFactory = _ => standard };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var port) || port is < 0 or > 65535))
            {
                result.AddError($"{name} is a number from 0 to 65535, not '{result.Tokens[0].Value}'.");
            }
        });
        return option;
    }
}
