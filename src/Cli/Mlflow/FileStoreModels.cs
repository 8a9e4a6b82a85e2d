using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>The logged models of a file store: <c>{experiment}/models/m-ID</c>.</summary>
internal sealed class FileStoreModels(LocalFiles files, TransferReport report)
{
    private static readonly string[] Statuses = ["PENDING", "PENDING", "READY", "UPLOAD_FAILED"];

    public IEnumerable<TransferItem> Of(StoreFolder experiment, string name, VersionSources sources)
    {
        foreach (var folder in experiment.Below("models").Folders())
        {
            if (folder.Meta() is not { } meta || meta.Text("model_id") is not { } id)
            {
                continue;
            }

            sources.AddModel(id);
            yield return new TransferItem(
                new JsonObject
                {
                    ["kind"] = "logged_model",
                    ["id"] = id,
                    ["experiment"] = name,
                    ["name"] = meta.Text("name"),
                    ["type"] = meta.Text("model_type"),
                    ["source_run"] = meta.Text("source_run_id"),
                    ["status"] = FileStoreSource.Whole(meta, "status") is { } number and > 0 and < 4 ? Statuses[number] : meta.Text("status"),
                    ["created"] = FileStoreSource.Whole(meta, "creation_timestamp"),
                    ["updated"] = FileStoreSource.Whole(meta, "last_updated_timestamp"),
                    ["deleted"] = meta.Text("lifecycle_stage") == "deleted",
                    ["tags"] = folder.Below("tags").Pairs(),
                    ["params"] = folder.Below("params").Pairs(),
                    ["metrics"] = new JsonArray([.. Metrics(folder, sources)]),
                },
                files.Tree("model/" + id, folder.Below("artifacts").Exists ? folder.Below("artifacts").Path : meta.Text("artifact_location")));
        }
    }

    // A line is: time, value, step, run, and of a dataset its name and digest.
    private IEnumerable<JsonObject> Metrics(StoreFolder folder, VersionSources sources) =>
        from metric in folder.Below("metrics").Keys()
        from point in FileStoreSource.Points(metric.File, report)
        where point.More.Length > 0 && sources.HasRun(point.More[0])
        select new JsonObject
        {
            ["run"] = point.More[0],
            ["name"] = metric.Key,
            ["value"] = point.Value,
            ["time"] = point.Time,
            ["step"] = point.Step,
            ["dataset_name"] = point.More.Length > 2 ? point.More[1] : null,
            ["dataset_digest"] = point.More.Length > 2 ? point.More[2] : null,
        };
}

/// <summary>The registry of a file store: <c>models/NAME/version-N</c>.</summary>
internal sealed class FileStoreRegistry(LocalFiles files)
{
    private const string Version = "version-";

    public IEnumerable<TransferItem> Read(StoreFolder registry, VersionSources sources, bool everything)
    {
        foreach (var folder in registry.Folders())
        {
            if (folder.Meta() is not { } meta || meta.Text("name") is not { } original)
            {
                continue;
            }

            var aliases = folder.Below("aliases").Pairs().ToLookup(pair => pair.Value.Text()?.Trim(), pair => pair.Key);
            var versions = folder.Folders().Where(one => one.Name.StartsWith(Version, StringComparison.Ordinal)).Select(one => (Folder: one, Record: OfVersion(one, aliases)))
                .Where(one => one.Record is not null && one.Record.Text("stage") != "Deleted_Internal").OrderBy(one => (long)one.Record!["version"]!).ToList();
            if (!everything && !versions.Exists(one => sources.HasRun(one.Record!.Text("run")) || sources.Known(one.Record!.Text("source")) is not null))
            {
                continue;
            }

            var tags = folder.Below("tags").Pairs();
            var name = sources.Name(original, tags);
            yield return new TransferItem(new JsonObject
            {
                ["kind"] = "registered_model",
                ["name"] = name,
                ["description"] = meta.Text("description"),
                ["tags"] = tags,
                ["created"] = FileStoreSource.Whole(meta, "creation_timestamp"),
                ["updated"] = FileStoreSource.Whole(meta, "last_updated_timestamp"),
            });
            foreach (var (_, record) in versions)
            {
                yield return Item(record!, name, sources);
            }
        }
    }

    private TransferItem Item(JsonObject record, string name, VersionSources sources)
    {
        record["name"] = name;
        var location = record.Text("location");
        record.Remove("location");
        if ((sources.Known(record.Text("source")) ?? sources.Known(location)) is { } known)
        {
            record["source"] = known;
            return new TransferItem(record);
        }

        var isPrompt = record.Object("tags")!.ContainsKey("mlflow.prompt.text");
        return new TransferItem(record, isPrompt ? null : files.Tree($"version/{name}/{record.Text("version")}", location ?? record.Text("source")));
    }

    private static JsonObject? OfVersion(StoreFolder folder, ILookup<string?, string> aliases) => folder.Meta() is not { } meta || FileStoreSource.Whole(meta, "version") is not { } number ? null : new JsonObject
    {
        ["kind"] = "model_version",
        ["version"] = number,
        ["description"] = meta.Text("description"),
        ["user"] = meta.Text("user_id"),
        ["stage"] = meta.Text("current_stage"),
        ["source"] = meta.Text("source"),
        ["location"] = meta.Text("storage_location"),
        ["run"] = meta.Text("run_id"),
        ["run_link"] = meta.Text("run_link"),
        ["mlflow"] = true,
        ["tags"] = folder.Below("tags").Pairs(),
        ["aliases"] = new JsonArray([.. aliases[$"{number}"].Select(alias => JsonValue.Create(alias))]),
        ["created"] = FileStoreSource.Whole(meta, "creation_timestamp"),
        ["updated"] = FileStoreSource.Whole(meta, "last_updated_timestamp"),
    };
}

/// <summary>The traces of a file store: <c>{experiment}/traces/ID</c>, whose spans are a file among their artifacts.</summary>
internal sealed class FileStoreTraces(LocalFiles files)
{
    public IEnumerable<TransferItem> Of(StoreFolder experiment, string name)
    {
        foreach (var folder in experiment.Below("traces").Folders())
        {
            if (folder.Meta("trace_info.yaml") is not { } meta || (meta.Text("trace_id") ?? meta.Text("request_id")) is not { } id)
            {
                continue;
            }

            var record = RestTraces.Of(meta, name);
            record["id"] = id;
            record["time"] ??= FileStoreSource.Whole(meta, "timestamp_ms");
            record["duration"] ??= FileStoreSource.Whole(meta, "execution_time_ms");
            record["state"] ??= meta.Text("status");
            record["tags"] = folder.Below("tags").Pairs();
            record["metadata"] = folder.Below("request_metadata").Pairs();
            record["assessments"] = new JsonArray([.. folder.Below("assessments").Keys().Select(key => folder.Below("assessments").Meta(key.Key)).OfType<JsonObject>().Select(RestTraces.Assessment)]);
            yield return new TransferItem(record, files.Tree("trace/" + id, folder.Below("artifacts").Path));
        }
    }
}
