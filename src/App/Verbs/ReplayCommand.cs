using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Cli;
using Zaffre.Kernel;
using Zaffre.Recording;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary><c>zaffre replay</c>: sends a recording to a server and shows where its answers differ (docs/recording.md).</summary>
internal static class ReplayCommand
{
    private const int Unusable = 2;

    private static readonly Argument<string> Recording = new("RECORDING") { Description = "A file of a recording, or the folder of its files." };
    private static readonly Option<string?> Url = new("--url") { Description = "Address of the server, when it is not that of the data directory; owner and CA are." };
    private static readonly Option<string?> Fresh = new("--fresh") { Description = "Start a server in a temporary data directory for it: this program, or the one that is named.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<double> Patience = new("--patience") { Description = "Seconds for which an answer that differs is asked for again.", DefaultValueFactory = _ => 10 };

    public static Command Create()
    {
        var command = new Command("replay", "Send a recording to a server and show what differs. Exit code 1 when something does.") { CliCommands.Data, Recording, Url, Fresh, Patience };
        command.Does(async (parsed, data, ct) =>
        {
            IReadOnlyList<RecordedSession> sessions;
            try
            {
                sessions = RecordingFiles.Read(parsed.GetValue(Recording)!);
            }
            catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync("ERROR: " + exception.Message);
                return Unusable;
            }

            // The owner's secret goes there.
            if (parsed.GetValue(Url) is { } url && !(Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps))
            {
                await Console.Error.WriteLineAsync($"ERROR: --url '{url}' is no https address: the owner's secret is sent there.");
                return Unusable;
            }

            if (parsed.GetResult(Fresh) is null)
            {
                return await RunAsync(Target(parsed, data), sessions, ct);
            }

            await using var server = await FreshServer.StartAsync(parsed.GetValue(Fresh) ?? Environment.ProcessPath!, ct);
            return await RunAsync(Target(parsed, server.Data), sessions, ct);
        });
        return command;
    }

    private static async Task<int> RunAsync(ReplayTarget target, IReadOnlyList<RecordedSession> sessions, CancellationToken ct)
    {
        var differs = false;
        foreach (var session in sessions)
        {
            var report = await Replayer.RunAsync(target, session, ct);
            Print(session, report);
            differs |= report.Differences.Count > 0;
        }

        return differs ? 1 : 0;
    }

    private static void Print(RecordedSession session, ReplayReport report)
    {
        foreach (var exchange in report.Differences.GroupBy(difference => (difference.Number, difference.Request)))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"#{exchange.Key.Number} {exchange.Key.Request}"));
            foreach (var difference in exchange)
            {
                Console.WriteLine($"  {difference.Where}\n    recorded: {difference.Expected}\n    now:      {difference.Actual}");
            }
        }

        var differing = report.Differences.Select(difference => difference.Number).Distinct().Count();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{session.Name}: {report.Sent} sent, {differing} differ, {report.Skipped} left out"));
    }

    private static ReplayTarget Target(ParseResult parsed, DataDirectory data)
    {
        var state = parsed.GetValue(Url) is { } url ? new Uri(url) : new Uri(Verb.Running(data).Url);
        var owner = Owner.Read(data);
        var file = JsonNode.Parse(File.ReadAllBytes(data.Path("keys", "owner.json"))) as JsonObject ?? [];
        return new ReplayTarget
        {
            Url = state,
            CaFile = data.Path("tls", "ca.pem"),
            TenantId = owner.TenantId,
            SubscriptionId = owner.SubscriptionId,
            ClientId = owner.ClientId,
            ObjectId = file.Text("objectId") ?? "",
            ClientSecret = owner.ClientSecret,
            Data = data.Root,
            Patience = TimeSpan.FromSeconds(parsed.GetValue(Patience)),
        };
    }

    /// <summary>A server of its own, gone with its data when the replay is over.</summary>
    private sealed class FreshServer(string program, DataDirectory data) : IAsyncDisposable
    {
        public DataDirectory Data => data;

        public static async Task<FreshServer> StartAsync(string program, CancellationToken ct)
        {
            var folder = Directory.CreateTempSubdirectory("zaffre-replay-").FullName;

            // The jobs' user, who is not the server's, crosses this folder.
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
            var server = new FreshServer(program, new DataDirectory(Path.Combine(folder, "data")));
            return await server.VerbAsync(["up", "--detach", "--port", "0"], ct) == 0 ? server : throw new VerbException($"{program} did not start; the lines above say why.");
        }

        public async ValueTask DisposeAsync()
        {
            await VerbAsync(["down"], CancellationToken.None);
            var folder = Path.GetDirectoryName(data.Root)!;
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException exception)
            {
                await Console.Error.WriteLineAsync($"WARNING: {folder} is not removed: {exception.Message}");
            }
        }

        private async Task<int> VerbAsync(string[] verb, CancellationToken ct)
        {
            using var process = Process.Start(new ProcessStartInfo(program, [.. verb, "--data", data.Root]) { UseShellExecute = false, RedirectStandardOutput = true })!;
            await process.StandardOutput.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return process.ExitCode;
        }
    }
}
