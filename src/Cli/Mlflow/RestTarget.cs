using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>
/// A tracking server, written by MLflow's REST API. The server gives ids of its own; the tag <c>zaffre.origin</c> on each run, logged model and version says which one it was, and
/// a further export finds them by it.
/// </summary>
internal sealed class RestTarget : IMlflowTarget
{
    public const string Origin = "zaffre.origin";

    private const int ParamsPerCall = 100;
    private const int KnownPoints = 2_000_000;

    private readonly ServerLink server;
    private readonly string origin;
    private readonly TransferReport report;
    private readonly RestTargetModels models;
    private readonly Dictionary<string, string> experiments = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RestRun> runs = new(StringComparer.Ordinal);
    private readonly List<string> deletedExperiments = [];
    private (string Run, HashSet<string> Points) known = ("", []);

    private RestTarget(ServerLink server, string origin, TransferReport report)
    {
        (this.server, this.origin, this.report) = (server, origin, report);
        models = new RestTargetModels(this, server, report);
    }

    public string Description => $"tracking server {server.Address}";

    public static async Task<RestTarget> OpenAsync(ServerLink server, string origin, TransferReport report, CancellationToken ct)
    {
        await server.PostAsync(RestSource.Api + "experiments/search", new JsonObject { ["max_results"] = 1 }, ct);
        return new RestTarget(server, origin, report);
    }

    public async Task PutAsync(JsonObject record, CancellationToken ct)
    {
        try
        {
            switch (record.Text("kind"))
            {
                case "experiment":
                    await ExperimentAsync(record, ct);
                    break;
                case "run":
                    await RunAsync(record, ct);
                    break;
                case "metrics":
                    await MetricsAsync(record, ct);
                    break;
                case "inputs":
                    await InputsAsync(record, ct);
                    break;
                default:
                    await models.PutAsync(record, ct);
                    break;
            }
        }
        catch (ServerException refused) when (refused.Status is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not HttpStatusCode.Unauthorized and not HttpStatusCode.Forbidden)
        {
            report.Problem($"{record.Text("kind")} {record.Text("id") ?? record.Text("name") ?? record.Text("run") ?? record.Text("trace")}: {refused.Message}");
        }
    }

    public Task FlushAsync(CancellationToken ct) => models.FlushAsync(ct);

    /// <summary>What is deleted in the source is deleted last: nothing is written to what is deleted.</summary>
    public async Task FinishAsync(CancellationToken ct)
    {
        await FlushAsync(ct);
        foreach (var run in runs.Values.Where(run => run.Deleted))
        {
            await server.PostAsync(RestSource.Api + "runs/delete", new JsonObject { ["run_id"] = run.Id }, ct);
        }

        foreach (var id in deletedExperiments)
        {
            await server.PostAsync(RestSource.Api + "experiments/delete", new JsonObject { ["experiment_id"] = id }, ct);
        }
    }

    public async Task PutFilesAsync(FileTree tree, CancellationToken ct)
    {
        var place = tree.Owner.Split('/') switch
        {
            ["run", var id] => runs.TryGetValue(id, out var run) ? run.Files : null,
            ["model", var id] => models.PlaceOfModel(id),
            ["trace", var id] => models.PlaceOfTrace(id),
            _ => null,
        };
        if (place is null)
        {
            return;
        }

        var files = new RestFiles(server);
        if (files.At(tree.Owner, place) is not { } there)
        {
            report.Problem($"{tree.Owner}: the server keeps its files at {place} and does not hand them on; start it with --serve-artifacts.");
            return;
        }

        try
        {
            var sizes = new Dictionary<string, long?>(StringComparer.Ordinal);
            await foreach (var file in there.ListAsync(ct))
            {
                sizes[file.Path] = file.Size;
            }

            await foreach (var file in tree.ListAsync(ct))
            {
                if (models.HasSent(tree.Owner, file.Path))
                {
                    continue;
                }

                var isThere = file.Size is not null && sizes.TryGetValue(file.Path, out var size) && size == file.Size;
                if (!isThere)
                {
                    await files.PutAsync(place, file, ct);
                }

                report.Count("file", 1, isThere ? 0 : 1);
            }
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            report.Problem($"{tree.Owner}: {exception.Message}");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>What the tag says of something of this workspace.</summary>
    public string OriginOf(string what) => $"{origin}/{what}";

    public string Experiment(string name) => experiments.TryGetValue(name, out var id) ? id : throw new IOException($"There is no experiment '{name}' yet.");

    public RestRun? Run(string? id) => id is not null && runs.TryGetValue(id, out var run) ? run : null;

    /// <summary>A list of keys and values as MLflow's messages have it.</summary>
    public static JsonArray Pairs(IEnumerable<KeyValuePair<string, JsonNode?>> pairs) => new([.. pairs.Select(pair => new JsonObject { ["key"] = pair.Key, ["value"] = pair.Value.Text() ?? "" })]);

    private async Task ExperimentAsync(JsonObject record, CancellationToken ct)
    {
        var name = record.Text("name")!;
        var found = (await server.FindAsync(HttpMethod.Get, $"{RestSource.Api}experiments/get-by-name?experiment_name={Uri.EscapeDataString(name)}", null, ct))?.Object("experiment");
        var id = found?.Text("experiment_id") ?? (await server.PostAsync(RestSource.Api + "experiments/create", new JsonObject { ["name"] = name }, ct)).Text("experiment_id")!;
        if (found?.Text("lifecycle_stage") == "deleted")
        {
            await server.PostAsync(RestSource.Api + "experiments/restore", new JsonObject { ["experiment_id"] = id }, ct);
        }

        foreach (var (key, value) in record.Object("tags") ?? [])
        {
            await server.PostAsync(RestSource.Api + "experiments/set-experiment-tag", new JsonObject { ["experiment_id"] = id, ["key"] = key, ["value"] = value.Text() }, ct);
        }

        if ((bool?)record["deleted"] == true)
        {
            deletedExperiments.Add(id);
        }

        experiments[name] = id;
        report.Count("experiment", 1, found is null ? 1 : 0);
    }

    private async Task RunAsync(JsonObject record, CancellationToken ct)
    {
        var (id, experiment) = (record.Text("id")!, Experiment(record.Text("experiment")!));
        var tags = record.Object("tags")?.Copy() ?? [];
        tags[Origin] = OriginOf("runs/" + id);
        if (Run(tags.Text("mlflow.parentRunId")) is { } parent)
        {
            tags["mlflow.parentRunId"] = parent.Id;
        }

        var found = await FindRunAsync(experiment, tags.Text(Origin)!, ct);
        var info = found ?? (await server.PostAsync(
            RestSource.Api + "runs/create",
            new JsonObject
            {
                ["experiment_id"] = experiment,
                ["start_time"] = record["start"]?.DeepClone(),
                ["user_id"] = record.Text("user"),
                ["run_name"] = record.Text("name"),
                ["tags"] = Pairs([KeyValuePair.Create<string, JsonNode?>(Origin, tags.Text(Origin))]),
            },
            ct)).Object("run")!.Object("info")!;
        var there = info.Text("run_id") ?? info.Text("run_uuid")!;
        if (found?.Text("lifecycle_stage") == "deleted")
        {
            await server.PostAsync(RestSource.Api + "runs/restore", new JsonObject { ["run_id"] = there }, ct);
        }

        runs[id] = new RestRun(there, info.Text("artifact_uri") ?? "", (bool?)record["deleted"] == true, found is not null);
        tags["mlflow.runName"] = record.Text("name");
        foreach (var some in tags.Chunk(ParamsPerCall))
        {
            await BatchAsync(there, "tags", Pairs(some), ct);
        }

        foreach (var some in (record.Object("params") ?? []).Chunk(ParamsPerCall))
        {
            await BatchAsync(there, "params", Pairs(some), ct);
        }

        await server.PostAsync(RestSource.Api + "runs/update", new JsonObject { ["run_id"] = there, ["status"] = record.Text("status"), ["end_time"] = record["end"]?.DeepClone(), ["run_name"] = record.Text("name") }, ct);
        report.Count("run", 1, found is null ? 1 : 0);
    }

    private async Task<JsonObject?> FindRunAsync(string experiment, string tag, CancellationToken ct)
    {
        var query = new JsonObject { ["experiment_ids"] = new JsonArray(experiment), ["filter"] = $"tags.`{Origin}` = '{tag}'", ["run_view_type"] = "ALL", ["max_results"] = 1 };
        return ((await server.PostAsync(RestSource.Api + "runs/search", query, ct))["runs"] as JsonArray)?.OfType<JsonObject>().FirstOrDefault()?.Object("info");
    }

    // A server that keeps files would note a point twice: of a run that was there, only points that it lacks are sent.
    private async Task MetricsAsync(JsonObject record, CancellationToken ct)
    {
        var run = Run(record.Text("run")) ?? throw new IOException($"There is no run '{record.Text("run")}' yet.");
        var points = ((JsonArray)record["points"]!).OfType<JsonArray>().ToList();
        report.Count("metrics", points.Count, 0);
        if (run.WasThere)
        {
            foreach (var key in points.Select(point => point[0].Text()!).Distinct(StringComparer.Ordinal).ToList())
            {
                await LearnAsync(run.Id, key, ct);
            }

            points.RemoveAll(point => known.Points.Contains(Point(point[0].Text()!, point[1].Text(), point[2].Text(), point[3].Text())));
        }

        if (points.Count > 0)
        {
            await BatchAsync(run.Id, "metrics", new JsonArray([.. points.Select(point => new JsonObject { ["key"] = point[0]!.DeepClone(), ["value"] = point[1]!.DeepClone(), ["timestamp"] = point[2]!.DeepClone(), ["step"] = point[3]!.DeepClone() })]), ct);
        }
    }

    private async Task LearnAsync(string run, string key, CancellationToken ct)
    {
        var mark = $"{run}\0{key}";
        if (known.Run != run || known.Points.Count > KnownPoints)
        {
            known = (run, new HashSet<string>(StringComparer.Ordinal));
        }

        if (!known.Points.Add(mark))
        {
            return;
        }

        var source = new RestSource(server, new TransferFilter([]));
        await foreach (var point in source.PagesAsync(HttpMethod.Get, RestSource.Api + "metrics/get-history", new JsonObject { ["run_id"] = run, ["metric_key"] = key, ["max_results"] = 25_000 }, "metrics", ct))
        {
            known.Points.Add(Point(key, RestSource.Real(point["value"]).Text(), point.Text("timestamp"), point.Text("step") ?? "0"));
        }
    }

    private static string Point(string key, string? value, string? time, string? step) =>
        $"{key}\0{(double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number.ToString("R", System.Globalization.CultureInfo.InvariantCulture) : value)}\0{time}\0{step}";

    private async Task InputsAsync(JsonObject record, CancellationToken ct)
    {
        var run = Run(record.Text("run")) ?? throw new IOException($"There is no run '{record.Text("run")}' yet.");
        var datasets = (record["datasets"] as JsonArray ?? []).OfType<JsonObject>().Select(dataset =>
        {
            var copy = dataset.Copy();
            copy.Remove("tags");
            return new JsonObject { ["dataset"] = copy, ["tags"] = Pairs(dataset.Object("tags") ?? []) };
        }).ToArray();
        if (datasets.Length > 0)
        {
            await server.PostAsync(RestSource.Api + "runs/log-inputs", new JsonObject { ["run_id"] = run.Id, ["datasets"] = new JsonArray(datasets) }, ct);
        }

        models.Later(run.Id, record);
        report.Count("inputs", 1, 0);
    }

    public async Task BatchAsync(string run, string member, JsonArray items, CancellationToken ct) =>
        await server.PostAsync(RestSource.Api + "runs/log-batch", new JsonObject { ["run_id"] = run, [member] = items }, ct);
}

/// <summary>A run on the server: its id there, where its files go, whether it is to be deleted, and whether it was there before.</summary>
internal sealed record RestRun(string Id, string Files, bool Deleted, bool WasThere);
