using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre quickstart</c>: from nothing to a prediction, with the iris example, through the public API.</summary>
internal static class QuickstartCommand
{
    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "Port of the server when it has to be started; 0 picks free ones.", DefaultValueFactory = _ => 8443 };
        var command = new Command("quickstart", "Start the server if none runs, then train, register, deploy and score the iris example.") { CliCommands.Data, port };
        command.SetAction(async (parsed, ct) =>
        {
            try
            {
                await RunAsync(CliCommands.DataOf(parsed), parsed.GetValue(port), ct);
                return 0;
            }
            catch (CliException exception)
            {
                await Console.Error.WriteLineAsync("ERROR: " + exception.Message);
                return 1;
            }
        });
        return command;
    }

    private static async Task RunAsync(DataDirectory data, int port, CancellationToken ct)
    {
        var example = Example();
        var clock = Stopwatch.StartNew();
        await StartAsync(data, port, ct);
        using var api = new ApiClient(RunningServer.Find(data), "zaffre", "main");
        var yaml = new YamlSubmission(api);

        var name = $"iris-{TimeProvider.System.GetUtcNow():yyyyMMdd-HHmmss}";
        Step(clock, $"Training: job {name} (examples/iris/job.yml)");
        await yaml.SendAsync("job", Path.Combine(example, "job.yml"), Values(("name", name)), ct);
        await JobLog.StreamAsync(api, name, Console.Out, ct);
        await PrintMetricsAsync(api, name, ct);

        Step(clock, "Registering its output as a model (examples/iris/model.yml)");
        var model = await yaml.SendAsync("model", Path.Combine(example, "model.yml"), Values(("path", $"azureml://jobs/{name}/outputs/model")), ct);
        var version = model.Text("id")!.Split('/')[^1];
        Console.WriteLine($"model iris, version {version}");

        Step(clock, "Deploying it behind an endpoint (examples/iris/endpoint.yml, deployment.yml)");
        await yaml.SendAsync("online-endpoint", Path.Combine(example, "endpoint.yml"), Values(), ct);
        await yaml.SendAsync("online-deployment", Path.Combine(example, "deployment.yml"), Values(("model", $"azureml:iris:{version}")), ct);
        await EndpointCommands.SetTrafficAsync(api, "iris-endpoint", new JsonObject { ["blue"] = 100 }, ct);

        Step(clock, "Scoring three flowers (examples/iris/request.json)");
        var request = await File.ReadAllBytesAsync(Path.Combine(example, "request.json"), ct);
        Console.WriteLine("prediction: " + await EndpointCommands.ScoreAsync(api, "iris-endpoint", null, request, ct));

        Step(clock, "Done. The server stays up. Where to look next:");
        Console.WriteLine($"""
              zaffre job show -n {name}                  the job; --query status, -o table
              zaffre job download -n {name} --all        its logs and outputs
              zaffre online-endpoint invoke -n iris-endpoint --request-file examples/iris/request.json
              zaffre online-deployment get-logs -e iris-endpoint -n blue
              zaffre exec -- python3 examples/iris/sdk.py    the same with the Azure ML SDK, unmodified (README.md: Debian's needs pydash)
              zaffre down                                stop the server
            """);
    }

    private static Dictionary<string, JsonNode?> Values(params ReadOnlySpan<(string Path, string Value)> values)
    {
        var set = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var (path, value) in values)
        {
            set[path] = value;
        }

        return set;
    }

    private static void Step(Stopwatch clock, string text) => Console.WriteLine($"\n[{clock.Elapsed.TotalSeconds,5:0.0} s] {text}");

    // The same program, as a person would start it.
    private static async Task StartAsync(DataDirectory data, int port, CancellationToken ct)
    {
        if (await AnswersAsync(data, ct))
        {
            return;
        }

        using var up = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["up", "--detach", "--port", port.ToString(CultureInfo.InvariantCulture), "--data", data.Root]))!;
        await up.WaitForExitAsync(ct);
        if (up.ExitCode != 0)
        {
            throw new CliException("The server did not start; the lines above say why.");
        }
    }

    private static async Task<bool> AnswersAsync(DataDirectory data, CancellationToken ct)
    {
        try
        {
            using var api = new ApiClient(RunningServer.Find(data), "zaffre", "main");
            await api.TokenAsync("https://management.azure.com/.default", ct);
            return true;
        }
        catch (CliException)
        {
            return false;
        }
    }

    private static async Task PrintMetricsAsync(ApiClient api, string job, CancellationToken ct)
    {
        var run = (await api.GetAsync($"/mlflow/v2.0{api.WorkspacePath}/api/2.0/mlflow/runs/get?run_id={job}", ct)).Object("run")?.Object("data") ?? [];
        foreach (var kind in new[] { "params", "metrics" })
        {
            var pairs = (run[kind] as JsonArray ?? []).OfType<JsonObject>().Select(pair => $"{pair.Text("key")}={pair.Text("value")}");
            Console.WriteLine($"{kind}: {string.Join(", ", pairs)}");
        }
    }

    private static string Example()
    {
        var home = Environment.GetEnvironmentVariable("ZAFFRE_HOME");
        string?[] places = [home is null ? null : Path.Combine(home, "examples", "iris"), Path.Combine(AppContext.BaseDirectory, "examples", "iris")];
        return places.FirstOrDefault(Directory.Exists) ?? throw new CliException("The example was not found; run quickstart through the zaffre script of the repository.");
    }
}
