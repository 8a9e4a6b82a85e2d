using System.Text.Json.Nodes;

namespace Zaffre.Cli.Mlflow;

/// <summary>The logged models of MLflow 3's database.</summary>
internal sealed class SqliteModels(SqliteRows rows, LocalFiles files)
{
    public IEnumerable<TransferItem> Of(long experiment, string name, VersionSources sources)
    {
        foreach (var (record, location) in rows.Of("logged_models", "WHERE experiment_id = @experiment ORDER BY creation_timestamp_ms, model_id", row => (Model(row, name), row.Text("artifact_location")), ("experiment", experiment)))
        {
            var id = (string)record["id"]!;
            record["tags"] = rows.Pairs("logged_model_tags", "model_id", id, "tag_key", "tag_value");
            record["params"] = rows.Pairs("logged_model_params", "model_id", id, "param_key", "param_value");
            record["metrics"] = new JsonArray([.. rows.Of("logged_model_metrics", "WHERE model_id = @id ORDER BY metric_name, metric_timestamp_ms, metric_step", Metric, ("id", id)).Where(metric => sources.HasRun((string?)metric["run"]))]);
            sources.AddModel(id);
            yield return new TransferItem(record, files.Tree("model/" + id, location));
        }
    }

    private static JsonObject Model(SqliteRow row, string experiment) => new()
    {
        ["kind"] = "logged_model",
        ["id"] = row.Text("model_id"),
        ["experiment"] = experiment,
        ["name"] = row.Text("name"),
        ["type"] = row.Text("model_type"),
        ["source_run"] = row.Text("source_run_id"),
        ["status"] = row.Whole("status") switch
        {
            2 => "READY",
            3 => "UPLOAD_FAILED",
            _ => "PENDING",
        },
        ["created"] = row.Whole("creation_timestamp_ms"),
        ["updated"] = row.Whole("last_updated_timestamp_ms"),
        ["deleted"] = row.Text("lifecycle_stage") == "deleted",
    };

    private static JsonObject Metric(SqliteRow row) => new()
    {
        ["run"] = row.Text("run_id"),
        ["name"] = row.Text("metric_name"),
        ["value"] = SqliteSource.Real(row.Real("metric_value"), nan: false),
        ["time"] = row.Whole("metric_timestamp_ms"),
        ["step"] = row.Whole("metric_step"),
        ["dataset_name"] = row.Text("dataset_name"),
        ["dataset_digest"] = row.Text("dataset_digest"),
    };
}

/// <summary>Registered models, prompts and their versions in MLflow's database.</summary>
internal sealed class SqliteRegistry(SqliteRows rows, LocalFiles files)
{
    private const string Deleted = "Deleted_Internal";

    /// <summary>All of them, or with a choice of experiments those that a version connects with the runs that came over.</summary>
    public IEnumerable<TransferItem> Read(VersionSources sources, bool everything)
    {
        foreach (var (original, record) in rows.Of("registered_models", "ORDER BY creation_time, name", row => (row.Text("name")!, Model(row))))
        {
            var versions = Versions(original).Where(version => (string?)version["stage"] != Deleted).ToList();
            if (!everything && !versions.Exists(version => sources.HasRun((string?)version["run"]) || sources.Known((string?)version["source"]) is not null))
            {
                continue;
            }

            var tags = rows.Pairs("registered_model_tags", "name", original);
            var name = sources.Name(original, tags);
            (record["name"], record["tags"]) = (name, tags);
            yield return new TransferItem(record);
            foreach (var version in versions)
            {
                version["name"] = name;
                yield return Item(version, sources);
            }
        }
    }

    private TransferItem Item(JsonObject version, VersionSources sources)
    {
        var location = (string?)version["location"];
        version.Remove("location");
        var source = (string?)version["source"];
        if ((sources.Known(source) ?? sources.Known(location)) is { } known)
        {
            version["source"] = known;
            return new TransferItem(version);
        }

        var isPrompt = ((JsonObject)version["tags"]!).ContainsKey("mlflow.prompt.text");
        var owner = $"version/{version["name"]}/{version["version"]}";
        return new TransferItem(version, isPrompt ? null : files.Tree(owner, location ?? source));
    }

    private static JsonObject Model(SqliteRow row) => new()
    {
        ["kind"] = "registered_model",
        ["description"] = row.Text("description"),
        ["created"] = row.Whole("creation_time"),
        ["updated"] = row.Whole("last_updated_time") ?? row.Whole("creation_time"),
    };

    private List<JsonObject> Versions(string model)
    {
        var aliases = rows.Of("registered_model_aliases", "WHERE name = @model ORDER BY alias", row => (Version: row.Whole("version"), Alias: row.Text("alias")), ("model", model)).ToLookup(one => one.Version, one => one.Alias);
        var versions = rows.Of("model_versions", "WHERE name = @model ORDER BY version", row => Version(row, aliases[row.Whole("version")]), ("model", model)).ToList();
        foreach (var version in versions)
        {
            var tags = new JsonObject();
            foreach (var (key, value) in rows.Of("model_version_tags", "WHERE name = @model AND version = @version ORDER BY key", row => (row.Text("key"), row.Text("value")), ("model", model), ("version", (long)version["version"]!)))
            {
                tags[key!] = value ?? "";
            }

            version["tags"] = tags;
        }

        return versions;
    }

    private static JsonObject Version(SqliteRow row, IEnumerable<string?> aliases) => new()
    {
        ["kind"] = "model_version",
        ["version"] = row.Whole("version") ?? 0,
        ["description"] = row.Text("description"),
        ["user"] = row.Text("user_id"),
        ["stage"] = row.Text("current_stage"),
        ["source"] = row.Text("source"),
        ["location"] = row.Text("storage_location"),
        ["run"] = row.Text("run_id"),
        ["run_link"] = row.Text("run_link"),
        ["mlflow"] = true,
        ["aliases"] = new JsonArray([.. aliases.Select(alias => JsonValue.Create(alias))]),
        ["created"] = row.Whole("creation_time"),
        ["updated"] = row.Whole("last_updated_time") ?? row.Whole("creation_time"),
    };
}
