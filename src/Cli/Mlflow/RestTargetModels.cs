using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>Logged models, the registry and traces of a tracking server, written by REST.</summary>
internal sealed class RestTargetModels(RestTarget target, ServerLink server, TransferReport report)
{
    private const string TracesFile = "traces.json";

    private static readonly string[] Said = ["feedback", "expectation", "source"];

    private readonly Dictionary<string, (string Id, string Files)> models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> traces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonArray> spans = new(StringComparer.Ordinal);
    private readonly List<(string Run, JsonObject Record)> inputs = [];
    private readonly HashSet<string> sent = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    public string? PlaceOfModel(string id)
    {
        lock (gate)
        {
            return models.TryGetValue(id, out var model) ? model.Files : null;
        }
    }

    public string? PlaceOfTrace(string id)
    {
        lock (gate)
        {
            return traces.GetValueOrDefault(id);
        }
    }

    /// <summary>True for the file of a trace whose spans were sent: they are the newer ones.</summary>
    public bool HasSent(string owner, string path)
    {
        lock (gate)
        {
            return path == TracesFile && sent.Contains(owner);
        }
    }

    /// <summary>Notes which models a run read and made: they come after the runs.</summary>
    public void Later(string run, JsonObject record) => inputs.Add((run, record));

    public Task PutAsync(JsonObject record, CancellationToken ct) => record.Text("kind") switch
    {
        "logged_model" => LoggedModelAsync(record, ct),
        "registered_model" => ModelAsync(record, ct),
        "model_version" => VersionAsync(record, ct),
        "trace" => TraceAsync(record, ct),
        "spans" => SpansAsync(record, ct),
        var kind => throw new IOException($"A record of the kind '{kind}' has no place on a tracking server."),
    };

    /// <summary>Sends spans as the file that every MLflow reads, and the links between runs and models.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        foreach (var (id, list) in spans)
        {
            if (PlaceOfTrace(id) is { } place)
            {
                var bytes = System.Text.Encoding.UTF8.GetBytes(new JsonObject { ["spans"] = list }.ToJsonString(ZaffreJson.Options));
                lock (gate)
                {
                    sent.Add("trace/" + id);
                }

                await new RestFiles(server).PutAsync(place, new TransferFile(TracesFile, bytes.Length, _ => Task.FromResult<Stream>(new MemoryStream(bytes))), ct);
            }
        }

        spans.Clear();
        foreach (var (run, record) in inputs.Where(one => Of(one.Record).All(models.ContainsKey)).ToList())
        {
            await LinksAsync(run, record, ct);
            inputs.RemoveAll(one => ReferenceEquals(one.Record, record));
        }
    }

    private static IEnumerable<string> Of(JsonObject record) =>
        (record["models"] as JsonArray ?? []).Select(model => model.Text()!).Concat((record["outputs"] as JsonArray ?? []).OfType<JsonObject>().Select(output => output.Text("model")!));

    private async Task LinksAsync(string run, JsonObject record, CancellationToken ct)
    {
        if (record["models"] is JsonArray { Count: > 0 } read)
        {
            await server.FindAsync(HttpMethod.Post, RestSource.Api + "runs/log-inputs", new JsonObject { ["run_id"] = run, ["models"] = new JsonArray([.. read.Select(model => new JsonObject { ["model_id"] = models[model.Text()!].Id })]) }, ct);
        }

        if (record["outputs"] is JsonArray { Count: > 0 } made)
        {
            await server.FindAsync(HttpMethod.Post, RestSource.Api + "runs/outputs", new JsonObject { ["run_id"] = run, ["models"] = new JsonArray([.. made.OfType<JsonObject>().Select(output => new JsonObject { ["model_id"] = models[output.Text("model")!].Id, ["step"] = output["step"]?.DeepClone() })]) }, ct);
        }
    }

    private async Task LoggedModelAsync(JsonObject record, CancellationToken ct)
    {
        var (id, experiment) = (record.Text("id")!, target.Experiment(record.Text("experiment")!));
        var origin = target.OriginOf("models/" + id);
        var query = new JsonObject { ["experiment_ids"] = new JsonArray(experiment), ["filter"] = $"tags.`{RestTarget.Origin}` = '{origin}'", ["max_results"] = 1 };
        var searched = await server.FindAsync(HttpMethod.Post, RestSource.Api + "logged-models/search", query, ct);
        if (searched is null)
        {
            report.Problem($"logged_model {id}: the server has no logged models; they came with MLflow 3.");
            return;
        }

        var found = (searched["models"] as JsonArray)?.OfType<JsonObject>().FirstOrDefault();
        var tags = record.Object("tags")?.Copy() ?? [];
        tags[RestTarget.Origin] = origin;
        var info = (found ?? (await server.PostAsync(
            RestSource.Api + "logged-models",
            new JsonObject
            {
                ["experiment_id"] = experiment,
                ["name"] = record.Text("name"),
                ["model_type"] = record.Text("type"),
                ["source_run_id"] = target.Run(record.Text("source_run"))?.Id,
                ["params"] = RestTarget.Pairs(record.Object("params") ?? []),
                ["tags"] = RestTarget.Pairs(tags),
            },
            ct)).Object("model")!).Object("info")!;
        var there = info.Text("model_id")!;
        lock (gate)
        {
            models[id] = (there, info.Text("artifact_uri") ?? "");
        }

        foreach (var metric in (record["metrics"] as JsonArray ?? []).OfType<JsonObject>())
        {
            await MetricAsync(there, metric, ct);
        }

        if (record.Text("status") is "READY" or "UPLOAD_FAILED")
        {
            await server.JsonAsync(HttpMethod.Patch, $"{RestSource.Api}logged-models/{there}", new JsonObject { ["model_id"] = there, ["status"] = "LOGGED_MODEL_" + record.Text("status") }, ct);
        }

        report.Count("logged_model", 1, found is null ? 1 : 0);
    }

    private async Task MetricAsync(string model, JsonObject metric, CancellationToken ct)
    {
        if (target.Run(metric.Text("run")) is { } run)
        {
            await target.BatchAsync(
                run.Id,
                "metrics",
                new JsonArray(new JsonObject
                {
                    ["key"] = metric.Text("name"),
                    ["value"] = metric["value"]?.DeepClone(),
                    ["timestamp"] = metric["time"]?.DeepClone(),
                    ["step"] = metric["step"]?.DeepClone(),
                    ["model_id"] = model,
                    ["dataset_name"] = metric.Text("dataset_name"),
                    ["dataset_digest"] = metric.Text("dataset_digest"),
                }),
                ct);
        }
    }

    private async Task ModelAsync(JsonObject record, CancellationToken ct)
    {
        var name = record.Text("name")!;
        var made = true;
        try
        {
            await server.PostAsync(RestSource.Api + "registered-models/create", new JsonObject { ["name"] = name, ["description"] = record.Text("description"), ["tags"] = RestTarget.Pairs(record.Object("tags") ?? []) }, ct);
        }
        catch (ServerException taken) when (taken.Code == "RESOURCE_ALREADY_EXISTS")
        {
            made = false;
            await server.JsonAsync(HttpMethod.Patch, RestSource.Api + "registered-models/update", new JsonObject { ["name"] = name, ["description"] = record.Text("description") ?? "" }, ct);
            foreach (var (key, value) in record.Object("tags") ?? [])
            {
                await server.PostAsync(RestSource.Api + "registered-models/set-tag", new JsonObject { ["name"] = name, ["key"] = key, ["value"] = value.Text() }, ct);
            }
        }

        report.Count("registered_model", 1, made ? 1 : 0);
    }

    private async Task VersionAsync(JsonObject record, CancellationToken ct)
    {
        var (name, number, tags) = (record.Text("name")!, record.Text("version")!, record.Object("tags")?.Copy() ?? []);
        var isPrompt = tags.ContainsKey("mlflow.prompt.text");
        tags[RestTarget.Origin] = target.OriginOf($"models/{name}/versions/{number}");
        if ((isPrompt ? record.Text("source") : SourceOf(record.Text("source") ?? "")) is not { } source)
        {
            report.Problem($"model_version {name}/{number}: its files are of no run and no logged model that went over; MLflow's API has no other place for them.");
            return;
        }

        var there = await FindVersionAsync(name, tags.Text(RestTarget.Origin)!, isPrompt, ct);
        var made = there is null;
        there ??= (await server.PostAsync(
            RestSource.Api + "model-versions/create",
            new JsonObject
            {
                ["name"] = name,
                ["source"] = source,
                ["run_id"] = target.Run(record.Text("run"))?.Id,
                ["run_link"] = record.Text("run_link"),
                ["description"] = record.Text("description"),
                ["tags"] = RestTarget.Pairs(tags),
            },
            ct)).Object("model_version")!.Text("version")!;
        if (there != number)
        {
            report.Note($"Version {number} of '{name}' is version {there} there: a tracking server counts by itself.");
        }

        if (record.Text("stage") is { Length: > 0 } stage and not "None" && !isPrompt)
        {
            await server.PostAsync(RestSource.Api + "model-versions/transition-stage", new JsonObject { ["name"] = name, ["version"] = there, ["stage"] = stage, ["archive_existing_versions"] = false }, ct);
        }

        foreach (var alias in (record["aliases"] as JsonArray ?? []).Select(alias => alias.Text()))
        {
            await server.PostAsync(RestSource.Api + "registered-models/alias", new JsonObject { ["name"] = name, ["version"] = there, ["alias"] = alias }, ct);
        }

        report.Count("model_version", 1, made ? 1 : 0);
    }

    private async Task<string?> FindVersionAsync(string name, string origin, bool isPrompt, CancellationToken ct)
    {
        var filter = $"name = '{name}' AND tags.`{RestTarget.Origin}` = '{origin}'{(isPrompt ? " AND tags.`mlflow.prompt.is_prompt` = 'true'" : "")}";
        var found = await server.GetAsync($"{RestSource.Api}model-versions/search?filter={Uri.EscapeDataString(filter)}&max_results=1", ct);
        return (found["model_versions"] as JsonArray)?.OfType<JsonObject>().FirstOrDefault()?.Text("version");
    }

    private string? SourceOf(string source)
    {
        var parts = source.Split(['/'], 3);
        return parts switch
        {
            ["runs:", var id, var path] when target.Run(id) is { } run => $"{run.Files.TrimEnd('/')}/{path}",
            ["models:", var rest, ..] when models.TryGetValue(rest, out var model) => parts.Length > 2 ? $"models:/{model.Id}/{parts[2]}" : $"models:/{model.Id}",
            _ => null,
        };
    }

    private async Task TraceAsync(JsonObject record, CancellationToken ct)
    {
        var (id, experiment) = (record.Text("id")!, target.Experiment(record.Text("experiment")!));
        var before = await server.FindAsync(HttpMethod.Get, $"{RestSource.Api3}traces/get?trace_id={Uri.EscapeDataString(id)}", null, ct);
        var (tags, metadata) = (record.Object("tags")?.Copy() ?? [], record.Object("metadata")?.Copy() ?? []);
        tags.Remove("mlflow.artifactLocation");
        tags.Remove("mlflow.trace.spansLocation");
        if (target.Run(metadata.Text("mlflow.sourceRun")) is { } run)
        {
            metadata["mlflow.sourceRun"] = run.Id;
        }

        var info = new JsonObject
        {
            ["trace_id"] = id,
            ["trace_location"] = new JsonObject { ["type"] = "MLFLOW_EXPERIMENT", ["mlflow_experiment"] = new JsonObject { ["experiment_id"] = experiment } },
            ["client_request_id"] = record.Text("client_request_id"),
            ["request_preview"] = record.Text("request_preview"),
            ["response_preview"] = record.Text("response_preview"),
            ["request_time"] = Time((long?)record["time"] ?? 0),
            ["execution_duration"] = (long?)record["duration"] is { } duration ? string.Create(CultureInfo.InvariantCulture, $"{duration / 1000.0:0.000}s") : null,
            ["state"] = record.Text("state"),
            ["trace_metadata"] = metadata,
            ["tags"] = tags,
        };
        var answer = await server.FindAsync(HttpMethod.Post, RestSource.Api3 + "traces", new JsonObject { ["trace"] = new JsonObject { ["trace_info"] = info } }, ct);
        if (answer?.Object("trace")?.Object("trace_info") is not { } made)
        {
            report.Problem($"trace {id}: the server takes no traces of MLflow 3.");
            return;
        }

        lock (gate)
        {
            traces[id] = made.Object("tags")?.Text("mlflow.artifactLocation") ?? "";
        }

        var known = before?.Object("trace")?.Object("trace_info")?["assessments"] as JsonArray ?? made["assessments"] as JsonArray ?? [];
        foreach (var assessment in (record["assessments"] as JsonArray ?? []).OfType<JsonObject>().Where(one => !known.OfType<JsonObject>().Any(other => IsSame(one, other))))
        {
            await server.PostAsync($"{RestSource.Api3}traces/{Uri.EscapeDataString(id)}/assessments", new JsonObject { ["assessment"] = Message(assessment, id) }, ct);
        }

        report.Count("trace", 1, before is null ? 1 : 0);
    }

    private static bool IsSame(JsonObject one, JsonObject other) => one.Text("assessment_name") == other.Text("assessment_name")
        && Said.All(member => JsonNode.DeepEquals(one[member], other[member])) && one.Text("rationale") == other.Text("rationale");

    private static JsonObject Message(JsonObject record, string trace)
    {
        var message = record.Copy();
        (message["trace_id"], message["create_time"], message["last_update_time"]) = (trace, Time((long?)record["created"] ?? 0), Time((long?)record["updated"] ?? 0));
        foreach (var member in new[] { "assessment_id", "created", "updated", "overrides" })
        {
            message.Remove(member);
        }

        return message;
    }

    private Task SpansAsync(JsonObject record, CancellationToken ct)
    {
        var trace = record.Text("trace")!;
        var list = spans.TryGetValue(trace, out var some) ? some : spans[trace] = [];
        foreach (var span in (record["spans"] as JsonArray ?? []).OfType<JsonObject>())
        {
            list.Add(SpanForm.Stored(span));
        }

        // Those of one trace come together: the ones before it are whole.
        return spans.Count > 1 ? FlushBeforeAsync(trace, ct) : Task.CompletedTask;
    }

    private async Task FlushBeforeAsync(string trace, CancellationToken ct)
    {
        var now = spans[trace];
        spans.Remove(trace);
        await FlushAsync(ct);
        spans[trace] = now;
    }

    private static string Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
