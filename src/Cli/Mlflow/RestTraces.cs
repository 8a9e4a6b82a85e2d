using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>The traces of a server: MLflow 3's with spans and assessments, else MLflow 2's.</summary>
internal sealed class RestTraces(RestSource source, ServerLink server, RestFiles files)
{
    private const int Page = 100;
    private const int SpansPerRecord = 200;
    private const string ArtifactLocation = "mlflow.artifactLocation";

    public async IAsyncEnumerable<TransferItem> OfAsync(string experiment, string name, IReadOnlyList<string> runs, [EnumeratorCancellation] CancellationToken ct)
    {
        ILookup<string, string>? links = null;
        await foreach (var info in SearchAsync(experiment, null, ct))
        {
            links ??= await LinksAsync(experiment, runs, ct);
            var record = Of(info, name);
            record["runs"] = new JsonArray([.. links[record.Text("id")!].Where(run => run != record.Object("metadata")!.Text("mlflow.sourceRun")).Select(run => JsonValue.Create(run))]);
            await foreach (var item in ItemsAsync(record, ct))
            {
                yield return item;
            }
        }

        if (links is not null)
        {
            yield break;
        }

        await foreach (var info in source.PagesAsync(HttpMethod.Get, RestSource.Api + "traces", new JsonObject { ["experiment_ids"] = experiment, ["max_results"] = Page }, "traces", ct))
        {
            var record = OfVersion2(info, name);
            yield return new TransferItem(record, files.At("trace/" + record.Text("id"), record.Object("tags")!.Text(ArtifactLocation)));
        }
    }

    /// <summary>RFC 3339 as milliseconds.</summary>
    public static long? Instant(string? text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUnixTimeMilliseconds() : null;

    /// <summary><c>1.5s</c> as milliseconds.</summary>
    public static long? Duration(string? text) =>
        text is [.. var seconds, 's'] && decimal.TryParse(seconds, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && Math.Abs(number) < 1_000_000_000 ? (long)(number * 1000) : null;

    /// <summary>The record of a <c>TraceInfo</c> of version 3.</summary>
    public static JsonObject Of(JsonObject info, string experiment) => new()
    {
        ["kind"] = "trace",
        ["id"] = info.Text("trace_id"),
        ["experiment"] = experiment,
        ["client_request_id"] = info.Text("client_request_id"),
        ["request_preview"] = info.Text("request_preview"),
        ["response_preview"] = info.Text("response_preview"),
        ["time"] = Instant(info.Text("request_time")),
        ["duration"] = Duration(info.Text("execution_duration")),
        ["state"] = info.Text("state"),
        ["tags"] = info.Object("tags")?.Copy() ?? [],
        ["metadata"] = info.Object("trace_metadata")?.Copy() ?? [],
        ["assessments"] = new JsonArray([.. (info["assessments"] as JsonArray ?? []).OfType<JsonObject>().Select(Assessment)]),
    };

    /// <summary>A message of an assessment with its times in milliseconds.</summary>
    public static JsonObject Assessment(JsonObject message)
    {
        var record = message.Copy();
        (record["created"], record["updated"]) = (Instant(message.Text("create_time")), Instant(message.Text("last_update_time")));
        foreach (var name in new[] { "create_time", "last_update_time", "trace_id" })
        {
            record.Remove(name);
        }

        return record;
    }

    private static JsonObject OfVersion2(JsonObject info, string experiment) => new()
    {
        ["kind"] = "trace",
        ["id"] = info.Text("request_id"),
        ["experiment"] = experiment,
        ["time"] = RestSource.Whole(info["timestamp_ms"]),
        ["duration"] = RestSource.Whole(info["execution_time_ms"]),
        ["state"] = info.Text("status"),
        ["tags"] = RestSource.Map(info["tags"]),
        ["metadata"] = RestSource.Map(info["request_metadata"]),
    };

    private IAsyncEnumerable<JsonObject> SearchAsync(string experiment, string? filter, CancellationToken ct)
    {
        var query = new JsonObject
        {
            ["locations"] = new JsonArray(new JsonObject { ["type"] = "MLFLOW_EXPERIMENT", ["mlflow_experiment"] = new JsonObject { ["experiment_id"] = experiment } }),
            ["max_results"] = Page,
        };
        if (filter is not null)
        {
            query["filter"] = filter;
        }

        return source.PagesAsync(HttpMethod.Post, RestSource.Api3 + "traces/search", query, "traces", ct);
    }

    // No answer says to which runs a trace was linked later: the runs of the experiment are asked for their traces.
    private async Task<ILookup<string, string>> LinksAsync(string experiment, IReadOnlyList<string> runs, CancellationToken ct)
    {
        var links = new List<(string Trace, string Run)>();
        foreach (var run in runs)
        {
            await foreach (var info in SearchAsync(experiment, $"attribute.run_id = '{run}'", ct))
            {
                links.Add((info.Text("trace_id")!, run));
            }
        }

        return links.ToLookup(link => link.Trace, link => link.Run);
    }

    private async IAsyncEnumerable<TransferItem> ItemsAsync(JsonObject record, [EnumeratorCancellation] CancellationToken ct)
    {
        var id = record.Text("id")!;
        yield return new TransferItem(record, files.At("trace/" + id, record.Object("tags")!.Text(ArtifactLocation)));
        var whole = await server.FindAsync(HttpMethod.Get, $"{RestSource.Api3}traces/get?trace_id={Uri.EscapeDataString(id)}", null, ct);
        foreach (var spans in (whole?.Object("trace")?["spans"] as JsonArray ?? []).OfType<JsonObject>().Select(SpanForm.Wire).Chunk(SpansPerRecord))
        {
            yield return new TransferItem(new JsonObject { ["kind"] = "spans", ["trace"] = id, ["spans"] = new JsonArray([.. spans]) });
        }
    }
}
