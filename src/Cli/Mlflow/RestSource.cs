using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>A tracking server, by its REST API alone: MLflow 2, MLflow 3, or Zaffre. What a server does not know is left out.</summary>
internal sealed class RestSource(ServerLink server, TransferFilter filter) : IMlflowSource
{
    public const string Api = "/api/2.0/mlflow/";
    public const string Api3 = "/api/3.0/mlflow/";

    private const int RunsPage = 500;
    private const int PointsPage = 25_000;
    private const int PointsPerRecord = 1000;

    private readonly RestFiles files = new(server);

    public string Description => $"tracking server {server.Address}";

    public async IAsyncEnumerable<TransferItem> ReadAsync(TransferReport report, [EnumeratorCancellation] CancellationToken ct)
    {
        var sources = new VersionSources(report);
        var experiments = new List<(string Id, string Name)>();
        await foreach (var experiment in PagesAsync(HttpMethod.Post, Api + "experiments/search", new JsonObject { ["max_results"] = 1000, ["view_type"] = "ALL" }, "experiments", ct))
        {
            if (filter.Wants(experiment.Text("name")!))
            {
                experiments.Add((experiment.Text("experiment_id")!, experiment.Text("name")!));
                yield return new TransferItem(Experiment(experiment));
            }
        }

        filter.TellMissing(experiments.Select(one => one.Name), report);
        foreach (var (id, name) in experiments)
        {
            var runs = new List<string>();
            await foreach (var item in RunsAsync(id, name, sources, ct))
            {
                if (item.Record.Text("kind") == "run")
                {
                    runs.Add(item.Record.Text("id")!);
                }

                yield return item;
            }

            await foreach (var item in new RestModels(this, files).OfAsync(id, name, sources, ct))
            {
                yield return item;
            }

            await foreach (var item in new RestTraces(this, server, files).OfAsync(id, name, runs, ct))
            {
                yield return item;
            }
        }

        await foreach (var item in new RestRegistry(this, server, files).ReadAsync(sources, filter.IsEverything, ct))
        {
            yield return item;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The items of all pages; nothing when the server does not know the call.</summary>
    public async IAsyncEnumerable<JsonObject> PagesAsync(HttpMethod method, string path, JsonObject query, string member, [EnumeratorCancellation] CancellationToken ct)
    {
        for (string? token = ""; token is not null;)
        {
            var asked = query.Copy();
            if (token.Length > 0)
            {
                asked["page_token"] = token;
            }

            var page = method == HttpMethod.Get
                ? await server.FindAsync(method, path + "?" + string.Join('&', asked.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value.Text()!)}")), null, ct)
                : await server.FindAsync(method, path, asked, ct);
            foreach (var item in (page?[member] as JsonArray ?? []).OfType<JsonObject>())
            {
                yield return item;
            }

            token = page?.Text("next_page_token") is { Length: > 0 } next ? next : page?.Text("nextPageToken") is { Length: > 0 } other ? other : null;
        }
    }

    public static long? Whole(JsonNode? node) => long.TryParse(node.Text(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A list of keys and values as an object.</summary>
    public static JsonObject Map(JsonNode? pairs)
    {
        var map = new JsonObject();
        foreach (var pair in (pairs as JsonArray ?? []).OfType<JsonObject>())
        {
            map[pair.Text("key") ?? ""] = pair.Text("value") ?? "";
        }

        return map;
    }

    /// <summary>A number as records carry it.</summary>
    public static JsonNode Real(JsonNode? value) => value.Text() switch
    {
        "NaN" or null => "NaN",
        "Infinity" => "Infinity",
        "-Infinity" => "-Infinity",
        { } text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? SqliteSource.Real(number, nan: false) : "NaN",
    };

    private static JsonObject Experiment(JsonObject experiment) => new()
    {
        ["kind"] = "experiment",
        ["name"] = experiment.Text("name"),
        ["deleted"] = experiment.Text("lifecycle_stage") == "deleted",
        ["created"] = Whole(experiment["creation_time"]),
        ["updated"] = Whole(experiment["last_update_time"]),
        ["tags"] = Map(experiment["tags"]),
    };

    private async IAsyncEnumerable<TransferItem> RunsAsync(string experiment, string name, VersionSources sources, [EnumeratorCancellation] CancellationToken ct)
    {
        var query = new JsonObject { ["experiment_ids"] = new JsonArray(experiment), ["run_view_type"] = "ALL", ["max_results"] = RunsPage, ["order_by"] = new JsonArray("attributes.start_time ASC") };
        await foreach (var run in PagesAsync(HttpMethod.Post, Api + "runs/search", query, "runs", ct))
        {
            var (info, data) = (run.Object("info")!, run.Object("data") ?? []);
            var id = info.Text("run_id") ?? info.Text("run_uuid")!;
            sources.AddRun(id);
            yield return new TransferItem(Run(info, data, id, name), files.OfRun(id, info.Text("artifact_uri")));
            foreach (var metric in (data["metrics"] as JsonArray ?? []).OfType<JsonObject>())
            {
                await foreach (var record in PointsAsync(id, metric.Text("key")!, ct))
                {
                    yield return new TransferItem(record);
                }
            }

            if (Inputs(run, id) is { } inputs)
            {
                yield return new TransferItem(inputs);
            }
        }
    }

    private static JsonObject Run(JsonObject info, JsonObject data, string id, string experiment) => new()
    {
        ["kind"] = "run",
        ["id"] = id,
        ["experiment"] = experiment,
        ["name"] = info.Text("run_name"),
        ["user"] = info.Text("user_id"),
        ["status"] = info.Text("status"),
        ["start"] = Whole(info["start_time"]),
        ["end"] = Whole(info["end_time"]),
        ["deleted"] = info.Text("lifecycle_stage") == "deleted",
        ["tags"] = Map(data["tags"]),
        ["params"] = Map(data["params"]),
    };

    private async IAsyncEnumerable<JsonObject> PointsAsync(string run, string key, [EnumeratorCancellation] CancellationToken ct)
    {
        var points = new JsonArray();
        await foreach (var point in PagesAsync(HttpMethod.Get, Api + "metrics/get-history", new JsonObject { ["run_id"] = run, ["metric_key"] = key, ["max_results"] = PointsPage }, "metrics", ct))
        {
            points.Add(new JsonArray(key, Real(point["value"]), Whole(point["timestamp"]) ?? 0, Whole(point["step"]) ?? 0));
            if (points.Count == PointsPerRecord)
            {
                yield return new JsonObject { ["kind"] = "metrics", ["run"] = run, ["points"] = points };
                points = [];
            }
        }

        if (points.Count > 0)
        {
            yield return new JsonObject { ["kind"] = "metrics", ["run"] = run, ["points"] = points };
        }
    }

    private static JsonObject? Inputs(JsonObject run, string id)
    {
        var datasets = (run.Object("inputs")?["dataset_inputs"] as JsonArray ?? []).OfType<JsonObject>().Where(input => input.Object("dataset") is not null).Select(input =>
        {
            var dataset = input.Object("dataset")!.Copy();
            dataset["tags"] = Map(input["tags"]);
            return dataset;
        }).ToArray();
        var read = (run.Object("inputs")?["model_inputs"] as JsonArray ?? []).OfType<JsonObject>().Select(model => JsonValue.Create(model.Text("model_id"))).ToArray();
        var made = (run.Object("outputs")?["model_outputs"] as JsonArray ?? []).OfType<JsonObject>().Select(model => new JsonObject { ["model"] = model.Text("model_id"), ["step"] = Whole(model["step"]) ?? 0 }).ToArray();
        return datasets.Length + read.Length + made.Length == 0 ? null : new JsonObject
        {
            ["kind"] = "inputs",
            ["run"] = id,
            ["datasets"] = new JsonArray(datasets),
            ["models"] = new JsonArray(read),
            ["outputs"] = new JsonArray(made),
        };
    }
}
