using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>Logged models, the registry and traces in MLflow's database.</summary>
internal sealed class SqliteTargetModels(SqliteTarget target)
{
    public void Put(JsonObject record)
    {
        switch (record.Text("kind"))
        {
            case "logged_model":
                LoggedModel(record);
                break;
            case "registered_model":
                Model(record);
                break;
            case "model_version":
                Version(record);
                break;
            case "trace":
                Trace(record);
                break;
            case "spans":
                Spans(record);
                break;
            case var kind:
                throw new IOException($"A record of the kind '{kind}' has no place in MLflow's database.");
        }
    }

    private void LoggedModel(JsonObject record)
    {
        var (id, experiment) = (record.Text("id")!, target.ExperimentId(record.Text("experiment")!));
        var made = target.Run("DELETE FROM logged_models WHERE model_id = @0", id) == 0;
        target.Run(
            "INSERT INTO logged_models VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9, NULL)",
            id,
            experiment,
            record.Text("name"),
            target.Folder($"{experiment}", "models", id, "artifacts"),
            SqliteTarget.Value(record["created"]) ?? 0,
            SqliteTarget.Value(record["updated"]) ?? 0,
            record.Text("status") switch
            {
                "READY" => 2,
                "UPLOAD_FAILED" => 3,
                _ => 1,
            },
            (bool?)record["deleted"] == true ? "deleted" : "active",
            record.Text("type"),
            record.Text("source_run"));
        target.Pairs("INSERT OR REPLACE INTO logged_model_tags (tag_key, tag_value, model_id, experiment_id) VALUES (@0, @1, @2, @3)", record.Object("tags"), id, experiment);
        target.Pairs("INSERT OR REPLACE INTO logged_model_params (param_key, param_value, model_id, experiment_id) VALUES (@0, @1, @2, @3)", record.Object("params"), id, experiment);
        foreach (var metric in (record["metrics"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var (value, isNan) = SqliteTarget.Real(metric["value"]);
            var dataset = metric.Text("dataset_name") is { } name && metric.Text("dataset_digest") is { } digest ? SqliteTarget.IdOf($"{experiment}", name, digest) : null;
            target.Run(
                "INSERT OR REPLACE INTO logged_model_metrics VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9)",
                id, metric.Text("name"), SqliteTarget.Value(metric["time"]), SqliteTarget.Value(metric["step"]) ?? 0, isNan == 1 ? null : value, experiment, metric.Text("run"), dataset, metric.Text("dataset_name"), metric.Text("dataset_digest"));
        }

        target.Count("logged_model", made);
    }

    private void Model(JsonObject record)
    {
        var name = record.Text("name")!;
        var made = target.Scalar("SELECT 1 FROM registered_models WHERE name = @0", name) is null;
        target.Run(
            "INSERT INTO registered_models VALUES (@0, @1, @2, @3) ON CONFLICT (name) DO UPDATE SET last_updated_time = excluded.last_updated_time, description = excluded.description",
            name, SqliteTarget.Value(record["created"]), SqliteTarget.Value(record["updated"]), record.Text("description"));
        target.Pairs("INSERT OR REPLACE INTO registered_model_tags (\"key\", value, name) VALUES (@0, @1, @2)", record.Object("tags"), name);
        target.Count("registered_model", made);
    }

    private void Version(JsonObject record)
    {
        var (name, number, source) = (record.Text("name")!, SqliteTarget.Value(record["version"]), record.Text("source") ?? "");
        var made = target.Run("DELETE FROM model_versions WHERE name = @0 AND version = @1", name, number) == 0;
        var isPrompt = record.Object("tags")?.ContainsKey("mlflow.prompt.text") == true;
        var isPlaced = source.StartsWith("runs:/", StringComparison.Ordinal) || source.StartsWith("models:/m-", StringComparison.Ordinal);
        target.Run(
            "INSERT INTO model_versions VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, 'READY', NULL, @9, @10)",
            name,
            number,
            SqliteTarget.Value(record["created"]),
            SqliteTarget.Value(record["updated"]),
            record.Text("description"),
            record.Text("user"),
            record.Text("stage") ?? "None",
            isPrompt || isPlaced ? source : target.Folder("registry", name, $"{number}"),
            record.Text("run"),
            record.Text("run_link"),
            source.StartsWith("models:/m-", StringComparison.Ordinal) ? OfLoggedModel(source["models:/".Length..]) : null);
        target.Pairs("INSERT OR REPLACE INTO model_version_tags (\"key\", value, name, version) VALUES (@0, @1, @2, @3)", record.Object("tags"), name, number);
        foreach (var alias in (record["aliases"] as JsonArray ?? []).Select(alias => alias.Text()))
        {
            target.Run("INSERT OR REPLACE INTO registered_model_aliases VALUES (@0, @1, @2)", alias, number, name);
        }

        target.Count("model_version", made);
    }

    private string? OfLoggedModel(string place)
    {
        var parts = place.Split('/', 2);
        return target.Scalar("SELECT artifact_location FROM logged_models WHERE model_id = @0", parts[0]) is string folder ? folder + (parts.Length > 1 ? "/" + parts[1] : "") : null;
    }

    private void Trace(JsonObject record)
    {
        var (id, experiment) = (record.Text("id")!, target.ExperimentId(record.Text("experiment")!));
        var made = target.Scalar("SELECT 1 FROM trace_info WHERE request_id = @0", id) is null;
        target.Run(
            "INSERT OR REPLACE INTO trace_info VALUES (@0, @1, @2, @3, @4, @5, @6, @7)",
            id, experiment, SqliteTarget.Value(record["time"]) ?? 0, SqliteTarget.Value(record["duration"]), record.Text("state") ?? "STATE_UNSPECIFIED", record.Text("client_request_id"), record.Text("request_preview"), record.Text("response_preview"));
        var tags = record.Object("tags")?.Copy() ?? [];
        tags["mlflow.artifactLocation"] = target.Folder($"{experiment}", "traces", id, "artifacts");
        target.Pairs("INSERT OR REPLACE INTO trace_tags (\"key\", value, request_id) VALUES (@0, @1, @2)", tags, id);
        target.Pairs("INSERT OR REPLACE INTO trace_request_metadata (\"key\", value, request_id) VALUES (@0, @1, @2)", record.Object("metadata"), id);
        foreach (var run in (record["runs"] as JsonArray ?? []).Select(run => run.Text()!))
        {
            target.Run("INSERT OR REPLACE INTO entity_associations VALUES (@0, 'trace', @1, 'run', @2, @3)", SqliteTarget.IdOf(id, run), id, run, SqliteTarget.Value(record["time"]));
        }

        foreach (var assessment in (record["assessments"] as JsonArray ?? []).OfType<JsonObject>())
        {
            Assessment(id, assessment);
        }

        target.Count("trace", made);
    }

    private void Assessment(string trace, JsonObject message)
    {
        var kind = message["feedback"] is not null ? "feedback" : message["expectation"] is not null ? "expectation" : "issue";
        var inner = message.Object(kind) ?? [];
        var value = kind == "issue" ? inner.ToJsonString(ZaffreJson.Options)
            : inner.Object("serialized_value")?.Text("value") ?? inner["value"]?.ToJsonString(ZaffreJson.Options) ?? "null";
        target.Run(
            "INSERT OR REPLACE INTO assessments VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9, NULL, @10, @11, @12, @13, @14)",
            message.Text("assessment_id"),
            trace,
            message.Text("assessment_name"),
            kind,
            value,
            inner["error"]?.ToJsonString(ZaffreJson.Options),
            SqliteTarget.Value(message["created"]) ?? 0,
            SqliteTarget.Value(message["updated"]) ?? 0,
            message.Object("source")?.Text("source_type") ?? "CODE",
            message.Object("source")?.Text("source_id"),
            message.Text("span_id"),
            message.Text("rationale"),
            message.Text("overrides"),
            (bool?)message["valid"] == false ? 0 : 1,
            message["metadata"]?.ToJsonString(ZaffreJson.Options));
    }

    private void Spans(JsonObject record)
    {
        var trace = record.Text("trace")!;
        var experiment = target.Scalar("SELECT experiment_id FROM trace_info WHERE request_id = @0", trace);
        foreach (var span in (record["spans"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var stored = SpanForm.Stored(span);
            target.Run(
                "INSERT OR REPLACE INTO spans (trace_id, experiment_id, span_id, parent_span_id, name, type, status, start_time_unix_nano, end_time_unix_nano, content) VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9)",
                trace,
                experiment,
                Hex(span.Text("span_id")),
                Hex(span.Text("parent_span_id")),
                span.Text("name"),
                stored.Object("attributes")!.Text("mlflow.spanType")?.Trim('"'),
                (stored.Object("status")!.Text("code") ?? "").Replace("STATUS_CODE_", "", StringComparison.Ordinal),
                SqliteTarget.Value(span["start_time_unix_nano"]) ?? 0,
                SqliteTarget.Value(span["end_time_unix_nano"]),
                stored.ToJsonString(ZaffreJson.Options));
        }
    }

    private static string? Hex(string? base64)
    {
        var bytes = new byte[64];
        return base64 is { Length: > 0 and < 80 } && Convert.TryFromBase64String(base64, bytes, out var length) ? Convert.ToHexStringLower(bytes.AsSpan(0, length)) : null;
    }
}
