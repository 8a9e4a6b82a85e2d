using System.CommandLine;
using System.Text.Json.Nodes;

namespace Zaffre.Cli.Mlflow;

/// <summary><c>zaffre mlflow import|export</c>: other MLflow stores into a workspace, and a workspace into another store.</summary>
internal static class MlflowCommand
{
    private const int Incomplete = 2;

    private static readonly Argument<string> Source = new("SOURCE") { Description = "sqlite:///mlflow.db or a .db file, an mlruns folder, or http(s)://server." };
    private static readonly Argument<string> Destination = new("DESTINATION") { Description = "A folder or sqlite:///x.db for MLflow's database with its files, or http(s)://server." };
    private static readonly Option<string[]> Artifacts = new("--artifacts") { Description = "Folder with the artifacts (mlruns, mlartifacts); default: the folder of the source.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string[]> Experiments = new("--experiments") { Description = "Names of the experiments; default: all.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Say what would come over, and change nothing." };

    public static Command Create()
    {
        var command = new Command("mlflow", "MLflow stores: import and export.");
        var import = new Verb("import", "Bring an MLflow store into the workspace, with its ids and times; run again to resume.", ImportAsync, Artifacts, Experiments, DryRun);
        import.Arguments.Add(Source);
        var export = new Verb("export", "Carry the workspace's runs and models into an MLflow store; run again to resume.", ExportAsync, Experiments);
        export.Arguments.Add(Destination);
        command.Subcommands.Add(import);
        command.Subcommands.Add(export);
        return command;
    }

    private static async Task<JsonNode?> ImportAsync(VerbCall call, CancellationToken ct)
    {
        var report = new TransferReport(Console.Error.WriteLine);
        await using var source = Stores.OpenSource(call.Get(Source), call.Get(Artifacts) ?? [], FilterOf(call), report);
        await using var target = new ZaffreTarget(call.Api.Link(), report, call.Get(DryRun));
        return await RunAsync(call, source, target, report, ct);
    }

    private static async Task<JsonNode?> ExportAsync(VerbCall call, CancellationToken ct)
    {
        var report = new TransferReport(Console.Error.WriteLine);
        await using var source = new RestSource(call.Api.Link(), FilterOf(call));
        await using var target = await Stores.OpenTargetAsync(call.Get(Destination), call.Api.Link().Address, report, ct);
        return await RunAsync(call, source, target, report, ct);
    }

    private static async Task<JsonNode?> RunAsync(VerbCall call, IMlflowSource source, IMlflowTarget target, TransferReport report, CancellationToken ct)
    {
        report.Progress($"From {source.Description}\nto {target.Description}");
        await Transfer.RunAsync(source, target, report, TimeProvider.System, ct);
        if (report.Problems > 0)
        {
            call.ExitCode = Incomplete;
        }

        return report.Summary();
    }

    private static TransferFilter FilterOf(VerbCall call) => new(call.Get(Experiments) ?? []);
}
