using System.CommandLine;
using Zaffre.Cli;

namespace Zaffre.App;

/// <summary><c>zaffre token</c>: a bearer token of the local owner, for curl and the like.</summary>
internal static class TokenCommand
{
    private static readonly Option<string> Resource = new("--resource") { Description = "What the token is for.", DefaultValueFactory = _ => "https://management.azure.com" };

    public static Command Create()
    {
        var command = new Command("token", "Print an access token of the local owner, valid for one hour.") { CliCommands.Data, Resource };
        command.Does(async (parsed, data, ct) =>
        {
            using var client = new LocalClient(data, Verb.Running(data));
            Console.WriteLine(await client.TokenAsync(Owner.Read(data), parsed.GetValue(Resource)!, TimeSpan.FromHours(1), ct));
            return 0;
        });
        return command;
    }
}
