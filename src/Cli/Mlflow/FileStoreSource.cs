using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>MLflow's file store: an <c>mlruns</c> folder.</summary>
internal sealed class FileStoreSource : IMlflowSource
{
    private const string Trash = ".trash";
    private const string Registry = "models";
    private const int PointsPerRecord = 1000;

    private static readonly string[] Statuses = ["", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];

    private static readonly string[] OfDataset = ["name", "digest", "source_type", "source", "schema", "profile"];

    private readonly StoreFolder root;
    private readonly LocalFiles files;
    private readonly TransferFilter filter;

    private FileStoreSource(StoreFolder root, LocalFiles files, TransferFilter filter) => (this.root, this.files, this.filter) = (root, files, filter);

    public string Description => $"MLflow's file store {root.Path}";

    public static FileStoreSource Open(string path, IReadOnlyList<string> artifacts, TransferFilter filter, TransferReport report)
    {
        var full = Path.GetFullPath(path).TrimEnd('/');
        var inside = Path.Combine(full, "mlruns");
        var root = new StoreFolder(!Experiments(new StoreFolder(full, report)).Any() && Directory.Exists(inside) ? inside : full, report);
        if (!Experiments(root).Any())
        {
            throw new CliException($"{full} is no file store of MLflow: no folder in it has a meta.yaml of an experiment.");
        }

        return new FileStoreSource(root, LocalFiles.At([root.Path, .. artifacts], report), filter);
    }

    public async IAsyncEnumerable<TransferItem> ReadAsync(TransferReport report, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        var sources = new VersionSources(report);
        var experiments = Experiments(root).Select(folder => (Folder: folder, Record: Experiment(folder)))
            .Where(one => one.Record is not null && filter.Wants(one.Record.Text("name") ?? "")).ToList();
        filter.TellMissing(experiments.Select(one => one.Record!.Text("name") ?? ""), report);
        foreach (var (_, record) in experiments)
        {
            yield return new TransferItem(record!);
        }

        foreach (var (folder, record) in experiments)
        {
            var name = record!.Text("name") ?? "";
            foreach (var item in Runs(folder, name, sources).Concat(new FileStoreModels(files, report).Of(folder, name, sources)).Concat(new FileStoreTraces(files).Of(folder, name)))
            {
                ct.ThrowIfCancellationRequested();
                yield return item;
            }
        }

        foreach (var item in new FileStoreRegistry(files).Read(root.Below(Registry), sources, filter.IsEverything))
        {
            ct.ThrowIfCancellationRequested();
            yield return item;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public static long? Whole(JsonObject? meta, string member) => RestSource.Whole(meta?[member]);

    /// <summary>The lines of a file as numbers of a metric: time, value, step, and what else they say.</summary>
    public static IEnumerable<(long Time, JsonNode Value, long Step, string[] More)> Points(string file, TransferReport? report)
    {
        foreach (var line in File.ReadLines(file))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0)
            {
                continue;
            }

            if (parts.Length >= 2 && long.TryParse(parts[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var time) && Real(parts[1]) is { } value)
            {
                var step = parts.Length > 2 && long.TryParse(parts[2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;
                yield return (time, value, step, parts.Length > 3 ? parts[3..] : []);
            }
            else
            {
                report?.Problem($"{file}: the line '{(line.Length > 80 ? line[..80] + "..." : line)}' is no point: time, value, step.");
            }
        }
    }

    private static JsonNode? Real(string text) => text.ToLowerInvariant() switch
    {
        "nan" => "NaN",
        "inf" or "+inf" or "infinity" => "Infinity",
        "-inf" or "-infinity" => "-Infinity",
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? SqliteSource.Real(number, nan: false) : null,
    };

    private static IEnumerable<StoreFolder> Experiments(StoreFolder root) => root.Folders().Where(folder => folder.Name is not (Trash or Registry)).Concat(root.Below(Trash).Folders())
        .Where(folder => PlainFile.IsRegular(Path.Combine(folder.Path, "meta.yaml")));

    private static JsonObject? Experiment(StoreFolder folder) => folder.Meta() is not { } meta || meta.Text("name") is null ? null : new JsonObject
    {
        ["kind"] = "experiment",
        ["name"] = meta.Text("name"),
        ["deleted"] = meta.Text("lifecycle_stage") == "deleted",
        ["created"] = Whole(meta, "creation_time"),
        ["updated"] = Whole(meta, "last_update_time"),
        ["tags"] = folder.Below("tags").Pairs(),
    };

    private IEnumerable<TransferItem> Runs(StoreFolder experiment, string name, VersionSources sources)
    {
        foreach (var folder in experiment.Folders())
        {
            if (folder.Name is "datasets" or "models" or "traces" or "tags" || folder.Meta() is not { } meta || (meta.Text("run_id") ?? meta.Text("run_uuid")) is not { } id)
            {
                continue;
            }

            sources.AddRun(id);
            yield return new TransferItem(Run(meta, id, name, folder), files.Tree("run/" + id, folder.Below("artifacts").Exists ? folder.Below("artifacts").Path : meta.Text("artifact_uri")));
            foreach (var (key, file) in folder.Below("metrics").Keys())
            {
                foreach (var points in Points(file, files.Report).Select(point => (JsonNode)new JsonArray(key, point.Value, point.Time, point.Step)).Chunk(PointsPerRecord))
                {
                    yield return new TransferItem(new JsonObject { ["kind"] = "metrics", ["run"] = id, ["points"] = new JsonArray(points) });
                }
            }

            if (Inputs(experiment, folder, id) is { } inputs)
            {
                yield return new TransferItem(inputs);
            }
        }
    }

    private static JsonObject Run(JsonObject meta, string id, string experiment, StoreFolder folder) => new()
    {
        ["kind"] = "run",
        ["id"] = id,
        ["experiment"] = experiment,
        ["name"] = meta.Text("run_name"),
        ["user"] = meta.Text("user_id"),
        ["status"] = Whole(meta, "status") is { } number and > 0 and < 6 ? Statuses[number] : meta.Text("status"),
        ["start"] = Whole(meta, "start_time"),
        ["end"] = Whole(meta, "end_time"),
        ["deleted"] = meta.Text("lifecycle_stage") == "deleted",
        ["tags"] = folder.Below("tags").Pairs(),
        ["params"] = folder.Below("params").Pairs(),
    };

    private static JsonObject? Inputs(StoreFolder experiment, StoreFolder run, string id)
    {
        var (datasets, read, made) = (new JsonArray(), new JsonArray(), new JsonArray());
        foreach (var input in run.Below("inputs").Folders())
        {
            var meta = input.Meta();
            if (meta?.Text("source_type") == "DATASET" && meta.Text("source_id") is { } source && experiment.Below("datasets").Below(Path.GetFileName(source)).Meta() is { } dataset)
            {
                var tags = meta.Object("tags") ?? [];
                datasets.Add(new JsonObject(OfDataset.Select(member => KeyValuePair.Create(member, dataset[member]?.DeepClone()))) { ["tags"] = tags.Copy() });
            }
            else if (meta?.Text("destination_type") == "MODEL_INPUT")
            {
                read.Add(meta.Text("destination_id"));
            }
        }

        foreach (var meta in run.Below("outputs").Folders().Select(output => output.Meta()).OfType<JsonObject>())
        {
            made.Add(new JsonObject { ["model"] = meta.Text("destination_id"), ["step"] = Whole(meta, "step") ?? 0 });
        }

        return datasets.Count + read.Count + made.Count == 0 ? null : new JsonObject { ["kind"] = "inputs", ["run"] = id, ["datasets"] = datasets, ["models"] = read, ["outputs"] = made };
    }
}
