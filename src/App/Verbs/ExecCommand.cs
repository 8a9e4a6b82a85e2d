using System.Collections;
using System.CommandLine;
using Zaffre.Cli;
using Zaffre.Kernel;

namespace Zaffre.App;

/// <summary><c>zaffre exec -- CMD</c>: becomes the command, with the variables of <c>zaffre env</c> set.</summary>
internal static class ExecCommand
{
    private const int CannotRun = 127;

    private static readonly string[] OwnOptions = ["--data", "--mode"];

    private static readonly Argument<string[]> Words = new("CMD") { Description = "The command and its arguments.", Arity = ArgumentArity.OneOrMore };

    public static Command Create()
    {
        var command = new Command("exec", "Run a command with the environment variables of 'zaffre env'.") { CliCommands.Data, EnvCommand.Mode, Words };
        command.Does((parsed, data, ct) => RunAsync(data, parsed.GetValue(EnvCommand.Mode), parsed.GetValue(Words)!, ct));
        return command;
    }

    /// <summary>Puts <c>--</c> before the command where the user left it out, so that the command's own options stay its own.</summary>
    public static string[] Protect(string[] args)
    {
        if (args is not ["exec", ..])
        {
            return args;
        }

        var at = 1;
        while (at < args.Length && args[at].StartsWith('-') && args[at] != "--")
        {
            at += OwnOptions.Contains(args[at]) ? 2 : 1;
        }

        return at >= args.Length || args[at] == "--" ? args : [.. args[..at], "--", .. args[at..]];
    }

    private static async Task<int> RunAsync(DataDirectory data, ConnectionMode mode, string[] command, CancellationToken ct)
    {
        var set = await ClientEnvironment.SetAsync(data, mode, ct);
        await EnvCommand.WarnAsync(mode, ct);
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
        foreach (var name in ClientEnvironment.Unset(set))
        {
            environment.Remove(name);
        }

        foreach (var (name, value) in set)
        {
            environment[name] = value;
        }

        await Console.Out.FlushAsync(ct);
        var reason = Posix.Become(command, environment);
        await Console.Error.WriteLineAsync($"ERROR: {command[0]} cannot be run: {reason}.");
        return CannotRun;
    }
}
