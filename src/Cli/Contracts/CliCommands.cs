using System.CommandLine;
using Zaffre.Cli.Mlflow;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>The verbs that are clients of the public API, named as <c>az ml</c> names them.</summary>
public static class CliCommands
{
    /// <summary><c>--data</c>, else <c>ZAFFRE_DATA</c>, else <c>.zaffre</c> in the current folder; every verb has it.</summary>
    public static Option<string?> Data { get; } = new("--data") { Description = "Data directory of the server (default: ZAFFRE_DATA, else .zaffre)." };

    /// <summary>The data directory that the command line names.</summary>
    public static DataDirectory DataOf(ParseResult parsed)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        var named = parsed.GetValue(Data) ?? Environment.GetEnvironmentVariable("ZAFFRE_DATA");
        return new DataDirectory(Path.GetFullPath(string.IsNullOrEmpty(named) ? ".zaffre" : named));
    }

    /// <summary>Adds the verbs to the program; <c>zaffre ml ...</c> means the same as <c>zaffre ...</c>.</summary>
    public static void AddTo(Command root)
    {
        ArgumentNullException.ThrowIfNull(root);
        var ml = new Command("ml", "The same commands under the name that az gives them.");
        foreach (var parent in new[] { root, ml })
        {
            parent.Subcommands.Add(JobCommands.Create());
            parent.Subcommands.Add(RunCommands.Create());
            parent.Subcommands.Add(AssetCommands.Create("model", "models", "path", "custom_model"));
            parent.Subcommands.Add(AssetCommands.Create("data", "data", "path", "uri_folder"));
            parent.Subcommands.Add(AssetCommands.Create("environment", "environments", "image", null));
            parent.Subcommands.Add(AssetCommands.Create("component", "components", null, null));
            parent.Subcommands.Add(ComputeCommands.Create());
            parent.Subcommands.Add(ResourceVerbs.Workspaces());
            parent.Subcommands.Add(ResourceVerbs.Datastores());
            parent.Subcommands.Add(EndpointCommands.Create());
            parent.Subcommands.Add(DeploymentCommands.Create());
        }

        root.Subcommands.Add(ml);
        root.Subcommands.Add(QuickstartCommand.Create());
        root.Subcommands.Add(MlflowCommand.Create());
    }
}
