using System.Data.Common;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Zaffre.Database;

namespace Zaffre.Cli.Mlflow;

/// <summary>MLflow's SQLite database, of versions 2 and 3.</summary>
internal sealed class SqliteSource : IMlflowSource
{
    private const int PointsPerRecord = 1000;

    /// <summary>What of MLflow's schema is read, with all columns it had in versions 2 and 3.</summary>
    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["alembic_version"] = "version_num",
        ["experiments"] = "experiment_id name artifact_location lifecycle_stage creation_time last_update_time workspace",
        ["experiment_tags"] = "key value experiment_id",
        ["runs"] = "run_uuid name source_type source_name entry_point_name user_id status start_time end_time source_version lifecycle_stage artifact_uri experiment_id deleted_time",
        ["tags"] = "key value run_uuid",
        ["params"] = "key value run_uuid",
        ["metrics"] = "key value timestamp run_uuid step is_nan",
        ["latest_metrics"] = "key value timestamp step is_nan run_uuid",
        ["datasets"] = "dataset_uuid experiment_id name digest dataset_source_type dataset_source dataset_schema dataset_profile",
        ["inputs"] = "input_uuid source_type source_id destination_type destination_id step",
        ["input_tags"] = "input_uuid name value",
        ["logged_models"] = "model_id experiment_id name artifact_location creation_timestamp_ms last_updated_timestamp_ms status lifecycle_stage model_type source_run_id status_message",
        ["logged_model_tags"] = "model_id experiment_id tag_key tag_value",
        ["logged_model_params"] = "model_id experiment_id param_key param_value",
        ["logged_model_metrics"] = "model_id metric_name metric_timestamp_ms metric_step metric_value experiment_id run_id dataset_uuid dataset_name dataset_digest",
        ["registered_models"] = "name creation_time last_updated_time description workspace",
        ["registered_model_tags"] = "key value name workspace",
        ["registered_model_aliases"] = "alias version name workspace",
        ["model_versions"] = "name version creation_time last_updated_time description user_id current_stage source run_id status status_message run_link storage_location workspace",
        ["model_version_tags"] = "key value name version workspace",
        ["trace_info"] = "request_id experiment_id timestamp_ms execution_time_ms status client_request_id request_preview response_preview",
        ["trace_tags"] = "key value request_id",
        ["trace_request_metadata"] = "key value request_id",
        ["trace_metrics"] = "request_id key value",
        ["assessments"] = "assessment_id trace_id name assessment_type value error created_timestamp last_updated_timestamp source_type source_id run_id span_id rationale overrides valid assessment_metadata",
        ["spans"] = "trace_id experiment_id span_id parent_span_id name type status start_time_unix_nano end_time_unix_nano duration_ns content dimension_attributes links",
        ["span_metrics"] = "trace_id span_id key value",
        ["entity_associations"] = "association_id source_type source_id destination_type destination_id created_time",
    };

    private static readonly string[] Needed = ["experiments", "runs", "metrics", "params", "tags"];

    private readonly SqliteRows rows;
    private readonly LocalFiles files;
    private readonly TransferFilter filter;
    private readonly string version;

    private SqliteSource(string path, SqliteRows rows, LocalFiles files, TransferFilter filter)
    {
        (this.rows, this.files, this.filter) = (rows, files, filter);
        version = rows.Of("alembic_version", "", row => row.Text("version_num")).FirstOrDefault() ?? "none";
        Description = $"MLflow's SQLite database {path}, alembic version {version}";
    }

    public string Description { get; }

    public static SqliteSource Open(string path, IReadOnlyList<string> artifacts, TransferFilter filter, TransferReport report)
    {
        var full = Path.GetFullPath(path);
        if (!PlainFile.IsRegular(full))
        {
            throw new CliException($"There is no file {full}.");
        }

        SqliteRows? rows = null;
        try
        {
            rows = new SqliteRows(SqliteFile.OpenRead(full));
            var missing = Needed.Where(table => !rows.Has(table)).ToList();
            if (missing.Count > 0)
            {
                throw new CliException($"{full} is no database of MLflow: it has no table {string.Join(", ", missing)}.");
            }

            return new SqliteSource(full, rows, LocalFiles.At(artifacts.Count > 0 ? artifacts : [Path.GetDirectoryName(full)!], report), filter);
        }
        catch (DbException exception)
        {
            rows?.Dispose();
            throw new CliException($"{full} cannot be read as a SQLite database: {exception.Message}");
        }
        catch
        {
            rows?.Dispose();
            throw;
        }
    }

    public async IAsyncEnumerable<TransferItem> ReadAsync(TransferReport report, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        TellUnknown(report);
        var sources = new VersionSources(report);
        var experiments = rows.Of("experiments", "ORDER BY experiment_id", row => (Id: row.Whole("experiment_id") ?? 0, Record: Experiment(row), Location: row.Text("artifact_location")))
            .Where(one => filter.Wants((string)one.Record["name"]!)).ToList();
        filter.TellMissing(experiments.Select(one => (string)one.Record["name"]!), report);
        foreach (var one in experiments)
        {
            one.Record["tags"] = rows.Pairs("experiment_tags", "experiment_id", one.Id);
            yield return new TransferItem(one.Record);
        }

        var (models, registry, traces) = (new SqliteModels(rows, files), new SqliteRegistry(rows, files), new SqliteTraces(rows, files));
        foreach (var (id, record, location) in experiments)
        {
            var name = (string)record["name"]!;
            foreach (var item in Runs(id, name, location, sources).Concat(models.Of(id, name, sources)).Concat(traces.Of(id, name)))
            {
                ct.ThrowIfCancellationRequested();
                yield return item;
            }
        }

        foreach (var item in registry.Read(sources, filter.IsEverything))
        {
            ct.ThrowIfCancellationRequested();
            yield return item;
        }
    }

    public ValueTask DisposeAsync()
    {
        rows.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A number as records carry it. The largest double is how MLflow keeps an infinity.</summary>
    public static JsonNode Real(double value, bool nan) => nan || double.IsNaN(value) ? "NaN"
        : value is double.MaxValue or double.PositiveInfinity ? "Infinity"
        : value is double.MinValue or double.NegativeInfinity ? "-Infinity"
        : value;

    private static JsonObject Experiment(SqliteRow row) => new()
    {
        ["kind"] = "experiment",
        ["name"] = row.Text("name"),
        ["deleted"] = row.Text("lifecycle_stage") == "deleted",
        ["created"] = row.Whole("creation_time"),
        ["updated"] = row.Whole("last_update_time") ?? row.Whole("creation_time"),
    };

    private IEnumerable<TransferItem> Runs(long experiment, string name, string? location, VersionSources sources)
    {
        foreach (var (record, uri) in rows.Of("runs", "WHERE experiment_id = @experiment ORDER BY start_time, run_uuid", row => (Run(row, name), row.Text("artifact_uri")), ("experiment", experiment)))
        {
            var id = (string)record["id"]!;
            record["tags"] = rows.Pairs("tags", "run_uuid", id);
            record["params"] = rows.Pairs("params", "run_uuid", id);
            sources.AddRun(id);
            yield return new TransferItem(record, files.Tree("run/" + id, uri ?? (location is null ? null : $"{location.TrimEnd('/')}/{id}/artifacts")));
            foreach (var points in Points(id).Chunk(PointsPerRecord))
            {
                yield return new TransferItem(new JsonObject { ["kind"] = "metrics", ["run"] = id, ["points"] = new JsonArray(points) });
            }

            if (Inputs(id) is { } inputs)
            {
                yield return new TransferItem(inputs);
            }
        }
    }

    private static JsonObject Run(SqliteRow row, string experiment) => new()
    {
        ["kind"] = "run",
        ["id"] = row.Text("run_uuid"),
        ["experiment"] = experiment,
        ["name"] = row.Text("name"),
        ["user"] = row.Text("user_id"),
        ["status"] = row.Text("status"),
        ["start"] = row.Whole("start_time"),
        ["end"] = row.Whole("end_time"),
        ["deleted"] = row.Text("lifecycle_stage") == "deleted",
    };

    private IEnumerable<JsonNode> Points(string run) => rows.Read<JsonNode>(
        "SELECT * FROM metrics WHERE run_uuid = @run ORDER BY key, timestamp, step",
        row => new JsonArray(row.Text("key"), Real(row.Real("value"), row.Whole("is_nan") == 1), row.Whole("timestamp"), row.Whole("step") ?? 0),
        ("run", run));

    private JsonObject? Inputs(string run)
    {
        if (!rows.Has("inputs"))
        {
            return null;
        }

        var datasets = !rows.Has("datasets") ? [] : rows.Read(
            "SELECT d.*, i.input_uuid FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = @run ORDER BY d.name, d.digest",
            row => (Input: row.Text("input_uuid")!, Dataset: new JsonObject
            {
                ["name"] = row.Text("name"),
                ["digest"] = row.Text("digest"),
                ["source_type"] = row.Text("dataset_source_type"),
                ["source"] = row.Text("dataset_source"),
                ["schema"] = row.Text("dataset_schema"),
                ["profile"] = row.Text("dataset_profile"),
            }),
            ("run", run)).ToList();
        foreach (var (input, dataset) in datasets)
        {
            dataset["tags"] = rows.Pairs("input_tags", "input_uuid", input, "name");
        }

        var read = rows.Of("inputs", "WHERE source_type = 'RUN_INPUT' AND source_id = @run ORDER BY destination_id", row => row.Text("destination_id"), ("run", run)).ToList();
        var made = rows.Of("inputs", "WHERE source_type = 'RUN_OUTPUT' AND source_id = @run ORDER BY destination_id", row => new JsonObject { ["model"] = row.Text("destination_id"), ["step"] = row.Whole("step") ?? 0 }, ("run", run)).ToList();
        return datasets.Count + read.Count + made.Count == 0 ? null : new JsonObject
        {
            ["kind"] = "inputs",
            ["run"] = run,
            ["datasets"] = new JsonArray([.. datasets.Select(one => one.Dataset)]),
            ["models"] = new JsonArray([.. read.Select(id => JsonValue.Create(id))]),
            ["outputs"] = new JsonArray([.. made]),
        };
    }

    private void TellUnknown(TransferReport report)
    {
        foreach (var (table, columns) in rows.Tables)
        {
            if (!Known.TryGetValue(table, out var known))
            {
                if (rows.Read($"SELECT count(*) AS n FROM \"{table.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", row => row.Whole("n")).First() is var count and > 0)
                {
                    report.Note($"The table {table} has {count} rows, which do not come over.");
                }
            }
            else if (columns.Except(known.Split(' '), StringComparer.Ordinal).ToList() is { Count: > 0 } unknown)
            {
                report.Note($"The table {table} has columns that are not known and do not come over: {string.Join(", ", unknown)}.");
            }
        }
    }
}

/// <summary>Which experiments come over: those named, or all.</summary>
internal sealed record TransferFilter(IReadOnlyList<string> Experiments)
{
    public bool IsEverything => Experiments.Count == 0;

    public bool Wants(string experiment) => IsEverything || Experiments.Contains(experiment, StringComparer.Ordinal);

    public void TellMissing(IEnumerable<string> found, TransferReport report)
    {
        foreach (var name in Experiments.Except(found, StringComparer.Ordinal))
        {
            report.Problem($"The source has no experiment '{name}'.");
        }
    }
}
