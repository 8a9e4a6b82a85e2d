using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>
/// MLflow's SQLite database with the files below <c>mlartifacts/</c> beside it. Ids are kept; every row replaces itself, so that an export may be run again. One
/// transaction holds what comes between two flushes.
/// </summary>
internal sealed class SqliteTarget : IMlflowTarget
{
    private const string LargestDouble = "1.7976931348623157e308";

    private readonly string root;
    private readonly DbConnection connection;
    private readonly TransferReport report;
    private readonly SqliteTargetModels models;
    private readonly Dictionary<string, long> experiments = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DbCommand> commands = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private DbTransaction? transaction;

    private SqliteTarget(string path, DbConnection connection, TransferReport report)
    {
        (root, this.connection, this.report) = (Path.Combine(Path.GetDirectoryName(path)!, "mlartifacts"), connection, report);
        models = new SqliteTargetModels(this);
        Description = $"MLflow's SQLite database {path} (alembic version {MlflowSchema.Version})";
    }

    public string Description { get; }

    public static SqliteTarget Open(string path, TransferReport report)
    {
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var isNew = !File.Exists(full) || new FileInfo(full).Length == 0;
        DbConnection? connection = null;
        try
        {
            connection = SqliteFile.OpenWrite(full);
            var target = new SqliteTarget(full, connection, report);
            if (isNew)
            {
                target.Run("PRAGMA journal_mode = WAL");
                target.Begin();
                target.Run(MlflowSchema.Text);
                target.Commit();
            }
            else if (target.Scalar("SELECT version_num FROM alembic_version") is var version && (string?)version != MlflowSchema.Version)
            {
                throw new CliException($"{full} is of alembic version {version}; an export writes {MlflowSchema.Version}. Name a new file.");
            }

            return target;
        }
        catch (DbException exception)
        {
            connection?.Dispose();
            throw new CliException($"{full} cannot be written as MLflow's database: {exception.Message}");
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    public Task PutAsync(JsonObject record, CancellationToken ct)
    {
        Begin();
        switch (record.Text("kind"))
        {
            case "experiment":
                Experiment(record);
                break;
            case "run":
                PutRun(record);
                break;
            case "metrics":
                Metrics(record.Text("run")!, (JsonArray)record["points"]!);
                break;
            case "inputs":
                Inputs(record);
                break;
            default:
                models.Put(record);
                break;
        }

        return Task.CompletedTask;
    }

    public Task FlushAsync(CancellationToken ct)
    {
        Commit();
        return Task.CompletedTask;
    }

    public Task FinishAsync(CancellationToken ct) => FlushAsync(ct);

    public async Task PutFilesAsync(FileTree tree, CancellationToken ct)
    {
        string? folder;
        lock (gate)
        {
            folder = Place(tree.Owner);
        }

        if (folder is null)
        {
            return;
        }

        try
        {
            await foreach (var file in tree.ListAsync(ct))
            {
                var to = Path.GetFullPath(Path.Combine(folder, file.Path));
                if (!to.StartsWith(folder + "/", StringComparison.Ordinal))
                {
                    throw new IOException($"the path '{file.Path}' leads out of its folder.");
                }

                report.Count("file", 1, await CopyAsync(file, to, ct) ? 1 : 0);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or HttpRequestException)
        {
            report.Problem($"{tree.Owner}: {exception.Message}");
        }
    }

    public ValueTask DisposeAsync()
    {
        transaction?.Dispose();
        foreach (var command in commands.Values)
        {
            command.Dispose();
        }

        connection.Dispose();
        return ValueTask.CompletedTask;
    }

    public long ExperimentId(string name) => experiments.TryGetValue(name, out var id) ? id : throw new IOException($"There is no experiment '{name}' yet.");

    /// <summary>The folder of something's files: <c>{experiment}/{run}/artifacts</c> and the like.</summary>
    public string Folder(params string[] parts) => Path.Combine([root, .. parts]);

    public void Count(string kind, bool made) => report.Count(kind, 1, made ? 1 : 0);

    /// <summary>An id that the same parts always have.</summary>
    public static string IdOf(params string[] parts) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', parts)))[..16]);

    /// <summary>Runs a statement with parameters <c>@0</c>, <c>@1</c>, ...; returns how many rows it changed.</summary>
    public int Run(string sql, params object?[] values) => Command(sql, values).ExecuteNonQuery();

    public object? Scalar(string sql, params object?[] values) => Command(sql, values).ExecuteScalar();

    public static object? Value(JsonNode? node) => node switch
    {
        null => null,
        JsonValue scalar when scalar.TryGetValue<bool>(out var flag) => flag ? 1L : 0L,
        JsonValue scalar when scalar.TryGetValue<long>(out var whole) => whole,
        JsonValue scalar when scalar.TryGetValue<double>(out var real) => real,
        _ => node.Text(),
    };

    /// <summary>Replaces the keys and values of an owner by those of a record.</summary>
    public void Pairs(string sql, JsonObject? pairs, params object?[] owner)
    {
        foreach (var (key, value) in pairs ?? [])
        {
            Run(sql, [key, value.Text() ?? "", .. owner]);
        }
    }

    /// <summary>A number as MLflow's store keeps it: no NaN, and the largest double for an infinity.</summary>
    public static (double Value, long IsNan) Real(JsonNode? value) => value.Text() switch
    {
        "NaN" or null => (0, 1),
        "Infinity" => (double.Parse(LargestDouble, CultureInfo.InvariantCulture), 0),
        "-Infinity" => (-double.Parse(LargestDouble, CultureInfo.InvariantCulture), 0),
        { } text => (double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture), 0),
    };

    private void Experiment(JsonObject record)
    {
        var name = record.Text("name")!;
        var known = Scalar("SELECT experiment_id FROM experiments WHERE name = @0", name);
        var id = known as long? ?? (name == "Default" ? 0 : (long)Scalar("SELECT coalesce(max(experiment_id), 0) + 1 FROM experiments")!);
        Run(
            "INSERT INTO experiments VALUES (@0, @1, @2, @3, @4, @5) ON CONFLICT (experiment_id) DO UPDATE SET lifecycle_stage = excluded.lifecycle_stage, creation_time = excluded.creation_time, last_update_time = excluded.last_update_time",
            id, name, Folder($"{id}"), Stage(record), Value(record["created"]), Value(record["updated"]));
        Pairs("INSERT OR REPLACE INTO experiment_tags (\"key\", value, experiment_id) VALUES (@0, @1, @2)", record.Object("tags"), id);
        experiments[name] = id;
        Count("experiment", known is null);
    }

    private void PutRun(JsonObject record)
    {
        var (id, experiment, tags) = (record.Text("id")!, ExperimentId(record.Text("experiment")!), record.Object("tags") ?? []);
        var made = Scalar("SELECT 1 FROM runs WHERE run_uuid = @0", id) is null;
        Run(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id) "
            + "VALUES (@0, @1, @2, @3, '', @4, @5, @6, @7, '', @8, @9, @10) ON CONFLICT (run_uuid) DO UPDATE SET name = excluded.name, user_id = excluded.user_id, status = excluded.status, "
            + "start_time = excluded.start_time, end_time = excluded.end_time, lifecycle_stage = excluded.lifecycle_stage",
            id,
            record.Text("name"),
            tags.Text("mlflow.source.type") is "NOTEBOOK" or "JOB" or "LOCAL" or "PROJECT" ? tags.Text("mlflow.source.type") : "UNKNOWN",
            tags.Text("mlflow.source.name") ?? "",
            record.Text("user"),
            record.Text("status"),
            Value(record["start"]),
            Value(record["end"]),
            Stage(record),
            Folder($"{experiment}", id, "artifacts"),
            experiment);
        Pairs("INSERT OR REPLACE INTO tags (\"key\", value, run_uuid) VALUES (@0, @1, @2)", tags, id);
        Pairs("INSERT OR REPLACE INTO params (\"key\", value, run_uuid) VALUES (@0, @1, @2)", record.Object("params"), id);
        Count("run", made);
    }

    private void Metrics(string run, JsonArray points)
    {
        foreach (var point in points.OfType<JsonArray>())
        {
            var (value, isNan) = Real(point[1]);
            object?[] row = [point[0].Text(), value, Value(point[2]), run, Value(point[3]), isNan];
            Run("INSERT OR IGNORE INTO metrics (\"key\", value, timestamp, run_uuid, step, is_nan) VALUES (@0, @1, @2, @3, @4, @5)", row);
            Run(
                "INSERT INTO latest_metrics (\"key\", value, timestamp, run_uuid, step, is_nan) VALUES (@0, @1, @2, @3, @4, @5) ON CONFLICT DO UPDATE SET value = excluded.value, timestamp = excluded.timestamp, "
                + "step = excluded.step, is_nan = excluded.is_nan WHERE (excluded.step, excluded.timestamp, excluded.value) > (step, timestamp, value)",
                row);
        }

        report.Count("metrics", points.Count, 0);
    }

    private void Inputs(JsonObject record)
    {
        const string Insert = "INSERT OR REPLACE INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step) VALUES (@0, @1, @2, @3, @4, @5)";
        var run = record.Text("run")!;
        var experiment = Scalar("SELECT experiment_id FROM runs WHERE run_uuid = @0", run);
        foreach (var dataset in (record["datasets"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var id = IdOf($"{experiment}", dataset.Text("name")!, dataset.Text("digest")!);
            Run(
                "INSERT OR IGNORE INTO datasets VALUES (@0, @1, @2, @3, @4, @5, @6, @7)",
                id, experiment, dataset.Text("name"), dataset.Text("digest"), dataset.Text("source_type"), dataset.Text("source") ?? "", dataset.Text("schema"), dataset.Text("profile"));
            var input = IdOf(id, run);
            Run(Insert, input, "DATASET", id, "RUN", run, 0);
            Pairs("INSERT OR REPLACE INTO input_tags (name, value, input_uuid) VALUES (@0, @1, @2)", dataset.Object("tags"), input);
        }

        foreach (var model in (record["models"] as JsonArray ?? []).Select(model => model.Text()))
        {
            Run(Insert, IdOf("in", run, model!), "RUN_INPUT", run, "MODEL_INPUT", model, 0);
        }

        foreach (var output in (record["outputs"] as JsonArray ?? []).OfType<JsonObject>())
        {
            Run(Insert, IdOf("out", run, output.Text("model")!), "RUN_OUTPUT", run, "MODEL_OUTPUT", output.Text("model"), Value(output["step"]) ?? 0);
        }
    }

    private string? Place(string owner) => owner.Split('/') switch
    {
        ["run", var id] => Folder($"{Scalar("SELECT experiment_id FROM runs WHERE run_uuid = @0", id)}", id, "artifacts"),
        ["model", var id] => Folder($"{Scalar("SELECT experiment_id FROM logged_models WHERE model_id = @0", id)}", "models", id, "artifacts"),
        ["trace", var id] => Folder($"{Scalar("SELECT experiment_id FROM trace_info WHERE request_id = @0", id)}", "traces", id, "artifacts"),
        ["version", var name, var number] => Folder("registry", name, number),
        _ => null,
    };

    private static async Task<bool> CopyAsync(TransferFile file, string to, CancellationToken ct)
    {
        if (file.Size is { } size && File.Exists(to) && new FileInfo(to).Length == size)
        {
            return false;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        var part = $"{to}.part-{Environment.ProcessId}";
        try
        {
            await using (var stream = new FileStream(part, FileMode.Create, FileAccess.Write))
            await using (var content = await file.OpenAsync(ct))
            {
                await content.CopyToAsync(stream, ct);
            }

            if (file.Size is { } said && new FileInfo(part).Length is var got && got != said)
            {
                throw new IOException($"{file.Path} has {got} bytes and not {said} as said.");
            }

            File.Move(part, to, overwrite: true);
            return true;
        }
        finally
        {
            File.Delete(part);
        }
    }

    private static string Stage(JsonObject record) => (bool?)record["deleted"] == true ? "deleted" : "active";

    // A statement is prepared once and used again.
    private DbCommand Command(string sql, object?[] values)
    {
        if (!commands.TryGetValue(sql, out var command))
        {
            commands[sql] = command = connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < values.Length; i++)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = $"@{i}";
                command.Parameters.Add(parameter);
            }
        }

        command.Transaction = transaction;
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }

        return command;
    }

    private void Begin() => transaction ??= connection.BeginTransaction();

    private void Commit()
    {
        transaction?.Commit();
        transaction?.Dispose();
        transaction = null;
    }
}
