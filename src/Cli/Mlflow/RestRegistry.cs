using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>The logged models of a server.</summary>
internal sealed class RestModels(RestSource source, RestFiles files)
{
    private const int Page = 50;

    public async IAsyncEnumerable<TransferItem> OfAsync(string experiment, string name, VersionSources sources, [EnumeratorCancellation] CancellationToken ct)
    {
        var query = new JsonObject { ["experiment_ids"] = new JsonArray(experiment), ["max_results"] = Page };
        await foreach (var model in source.PagesAsync(HttpMethod.Post, RestSource.Api + "logged-models/search", query, "models", ct))
        {
            var (info, data) = (model.Object("info")!, model.Object("data") ?? []);
            var id = info.Text("model_id")!;
            sources.AddModel(id);
            yield return new TransferItem(
                new JsonObject
                {
                    ["kind"] = "logged_model",
                    ["id"] = id,
                    ["experiment"] = name,
                    ["name"] = info.Text("name"),
                    ["type"] = info.Text("model_type"),
                    ["source_run"] = info.Text("source_run_id"),
                    ["status"] = (info.Text("status") ?? "").Replace("LOGGED_MODEL_", "", StringComparison.Ordinal),
                    ["created"] = RestSource.Whole(info["creation_timestamp_ms"]),
                    ["updated"] = RestSource.Whole(info["last_updated_timestamp_ms"]),
                    ["tags"] = RestSource.Map(info["tags"]),
                    ["params"] = RestSource.Map(data["params"]),
                    ["metrics"] = new JsonArray([.. (data["metrics"] as JsonArray ?? []).OfType<JsonObject>().Where(metric => sources.HasRun(metric.Text("run_id"))).Select(Metric)]),
                },
                files.At("model/" + id, info.Text("artifact_uri")));
        }
    }

    private static JsonObject Metric(JsonObject metric) => new()
    {
        ["run"] = metric.Text("run_id"),
        ["name"] = metric.Text("key"),
        ["value"] = RestSource.Real(metric["value"]),
        ["time"] = RestSource.Whole(metric["timestamp"]),
        ["step"] = RestSource.Whole(metric["step"]),
        ["dataset_name"] = metric.Text("dataset_name"),
        ["dataset_digest"] = metric.Text("dataset_digest"),
    };
}

/// <summary>The registered models and prompts of a server with their versions.</summary>
internal sealed class RestRegistry(RestSource source, ServerLink server, RestFiles files)
{
    private const string IsPrompt = "tags.`mlflow.prompt.is_prompt` = 'true'";
    private const string PromptTag = "mlflow.prompt.is_prompt";

    public async IAsyncEnumerable<TransferItem> ReadAsync(VersionSources sources, bool everything, [EnumeratorCancellation] CancellationToken ct)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var prompts in new[] { false, true })
        {
            var query = new JsonObject { ["max_results"] = 100 };
            if (prompts)
            {
                query["filter"] = IsPrompt;
            }

            await foreach (var model in source.PagesAsync(HttpMethod.Get, RestSource.Api + "registered-models/search", query, "registered_models", ct))
            {
                if (seen.Add(model.Text("name")!))
                {
                    await foreach (var item in OfAsync(model, sources, everything, ct))
                    {
                        yield return item;
                    }
                }
            }
        }
    }

    private async IAsyncEnumerable<TransferItem> OfAsync(JsonObject model, VersionSources sources, bool everything, [EnumeratorCancellation] CancellationToken ct)
    {
        var (original, tags) = (model.Text("name")!, RestSource.Map(model["tags"]));
        var isPrompt = tags.Text(PromptTag) == "true";
        var versions = await VersionsAsync(original, isPrompt, model, ct);
        if (!everything && !versions.Exists(version => sources.HasRun(version.Text("run")) || sources.Known(version.Text("source")) is not null))
        {
            yield break;
        }

        var name = sources.Name(original, tags);
        yield return new TransferItem(new JsonObject
        {
            ["kind"] = "registered_model",
            ["name"] = name,
            ["description"] = model.Text("description"),
            ["tags"] = tags,
            ["user"] = model.Text("user_id"),
            ["created"] = RestSource.Whole(model["creation_timestamp"]),
            ["updated"] = RestSource.Whole(model["last_updated_timestamp"]),
        });
        foreach (var version in versions)
        {
            version["name"] = name;
            FileTree? tree = null;
            if (sources.Known(version.Text("source")) is { } known)
            {
                version["source"] = known;
            }
            else if (!isPrompt)
            {
                tree = await FilesAsync(original, name, version.Text("version")!, ct);
            }

            yield return new TransferItem(version, tree);
        }
    }

    private async Task<FileTree?> FilesAsync(string original, string name, string version, CancellationToken ct)
    {
        var place = await server.FindAsync(HttpMethod.Get, $"{RestSource.Api}model-versions/get-download-uri?name={Uri.EscapeDataString(original)}&version={version}", null, ct);
        return files.At($"version/{name}/{version}", place?.Text("artifact_uri"));
    }

    private async Task<List<JsonObject>> VersionsAsync(string name, bool isPrompt, JsonObject model, CancellationToken ct)
    {
        var aliases = (model["aliases"] as JsonArray ?? []).OfType<JsonObject>().ToLookup(alias => alias.Text("version"), alias => alias.Text("alias"));
        var filter = $"name = '{name.Replace("'", "''", StringComparison.Ordinal)}'{(isPrompt ? " AND " + IsPrompt : "")}";
        var versions = new List<JsonObject>();
        await foreach (var version in source.PagesAsync(HttpMethod.Get, RestSource.Api + "model-versions/search", new JsonObject { ["filter"] = filter, ["max_results"] = 1000 }, "model_versions", ct))
        {
            if (RestSource.Whole(version["version"]) is { } number)
            {
                versions.Add(Version(version, number, aliases[version.Text("version")]));
            }
        }

        versions.Sort((one, other) => ((long)one["version"]!).CompareTo((long)other["version"]!));
        return versions;
    }

    private static JsonObject Version(JsonObject version, long number, IEnumerable<string?> aliases) => new()
    {
        ["kind"] = "model_version",
        ["version"] = number,
        ["description"] = version.Text("description"),
        ["user"] = version.Text("user_id"),
        ["stage"] = version.Text("current_stage"),
        ["source"] = version.Text("source"),
        ["run"] = version.Text("run_id"),
        ["run_link"] = version.Text("run_link"),
        ["model_id"] = version.Text("model_id"),
        ["mlflow"] = true,
        ["tags"] = RestSource.Map(version["tags"]),
        ["aliases"] = new JsonArray([.. aliases.Select(alias => JsonValue.Create(alias))]),
        ["created"] = RestSource.Whole(version["creation_timestamp"]),
        ["updated"] = RestSource.Whole(version["last_updated_timestamp"]),
    };
}
