using System.Data.Common;
using System.Globalization;
using Zaffre.Cli.Mlflow;
using Zaffre.Database;

namespace Zaffre.Tests.Http.Tracking.Import;

/// <summary>Databases as MLflow's server writes them, made by SQL: of 2.17 (alembic <c>f5a4f2784254</c>) and of 3.5 (<c>bf29a5ff90ea</c>).</summary>
internal static class MlflowDatabase
{
    public const string Parent = "11111111111111111111111111111111";
    public const string Child = "22222222222222222222222222222222";
    public const string Deleted = "33333333333333333333333333333333";
    public const string LoggedModel = "m-44444444444444444444444444444444";
    public const string Trace = "tr-55555555555555555555555555555555";

    /// <summary>What 2.17 has of the tables that matter; later versions add columns and tables.</summary>
    private const string Schema2 = """
        CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
        INSERT INTO alembic_version VALUES ('f5a4f2784254');
        CREATE TABLE experiments (experiment_id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(256) NOT NULL UNIQUE, artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT);
        CREATE TABLE experiment_tags (key VARCHAR(250) NOT NULL, value VARCHAR(5000), experiment_id INTEGER NOT NULL, PRIMARY KEY (key, experiment_id));
        CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(250), source_type VARCHAR(20), source_name VARCHAR(500), entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(9), start_time BIGINT, end_time BIGINT, source_version VARCHAR(50), lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200), experiment_id INTEGER, deleted_time BIGINT);
        CREATE TABLE tags (key VARCHAR(250) NOT NULL, value VARCHAR(8000), run_uuid VARCHAR(32) NOT NULL, PRIMARY KEY (key, run_uuid));
        CREATE TABLE params (key VARCHAR(250) NOT NULL, value VARCHAR(8000) NOT NULL, run_uuid VARCHAR(32) NOT NULL, PRIMARY KEY (key, run_uuid));
        CREATE TABLE metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL, PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
        CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
        CREATE TABLE latest_metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT, step BIGINT NOT NULL, is_nan BOOLEAN NOT NULL, run_uuid VARCHAR(32) NOT NULL, PRIMARY KEY (key, run_uuid));
        CREATE TABLE datasets (dataset_uuid VARCHAR(36) NOT NULL, experiment_id INTEGER NOT NULL, name VARCHAR(500) NOT NULL, digest VARCHAR(36) NOT NULL, dataset_source_type VARCHAR(36) NOT NULL, dataset_source TEXT NOT NULL, dataset_schema TEXT, dataset_profile TEXT, PRIMARY KEY (experiment_id, name, digest));
        CREATE TABLE inputs (input_uuid VARCHAR(36) NOT NULL, source_type VARCHAR(36) NOT NULL, source_id VARCHAR(36) NOT NULL, destination_type VARCHAR(36) NOT NULL, destination_id VARCHAR(36) NOT NULL, PRIMARY KEY (source_type, source_id, destination_type, destination_id));
        CREATE TABLE input_tags (input_uuid VARCHAR(36) NOT NULL, name VARCHAR(255) NOT NULL, value VARCHAR(500) NOT NULL, PRIMARY KEY (input_uuid, name));
        CREATE TABLE registered_models (name VARCHAR(256) NOT NULL PRIMARY KEY, creation_time BIGINT, last_updated_time BIGINT, description VARCHAR(5000));
        CREATE TABLE registered_model_tags (key VARCHAR(250) NOT NULL, value VARCHAR(5000), name VARCHAR(256) NOT NULL, PRIMARY KEY (key, name));
        CREATE TABLE registered_model_aliases (alias VARCHAR(256) NOT NULL, version INTEGER NOT NULL, name VARCHAR(256) NOT NULL, PRIMARY KEY (name, alias));
        CREATE TABLE model_versions (name VARCHAR(256) NOT NULL, version INTEGER NOT NULL, creation_time BIGINT, last_updated_time BIGINT, description VARCHAR(5000), user_id VARCHAR(256), current_stage VARCHAR(20), source VARCHAR(500), run_id VARCHAR(32), status VARCHAR(20), status_message VARCHAR(500), run_link VARCHAR(500), storage_location VARCHAR(500), PRIMARY KEY (name, version));
        CREATE TABLE model_version_tags (key VARCHAR(250) NOT NULL, value VARCHAR(5000), name VARCHAR(256) NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (key, name, version));
        CREATE TABLE trace_info (request_id VARCHAR(50) NOT NULL PRIMARY KEY, experiment_id INTEGER NOT NULL, timestamp_ms BIGINT NOT NULL, execution_time_ms BIGINT, status VARCHAR(50) NOT NULL);
        CREATE TABLE trace_tags (key VARCHAR(250) NOT NULL, value VARCHAR(8000), request_id VARCHAR(50) NOT NULL, PRIMARY KEY (key, request_id));
        CREATE TABLE trace_request_metadata (key VARCHAR(250) NOT NULL, value VARCHAR(8000), request_id VARCHAR(50) NOT NULL, PRIMARY KEY (key, request_id));
        """;

    private const string Rows = """
        INSERT INTO experiments VALUES (0, 'Default', 'ROOT/mlruns/0', 'active', 1000, 1000), (1, 'images @SUFFIX', 'mlflow-artifacts:/1', 'active', 2000, 3000), (2, 'old @SUFFIX', 'file://ROOT/mlruns/2', 'deleted', 4000, 5000);
        INSERT INTO experiment_tags VALUES ('team', 'vision', 1), ('empty', NULL, 1);
        INSERT INTO runs VALUES
            ('11111111111111111111111111111111', 'parent', 'LOCAL', 'train.py', '', 'ada', 'FINISHED', 10000, 20000, '', 'active', 'mlflow-artifacts:/1/11111111111111111111111111111111/artifacts', 1, NULL),
            ('22222222222222222222222222222222', 'child', 'LOCAL', '', '', 'bob', 'FAILED', 11000, 12000, '', 'active', 'file://ROOT/mlruns/1/22222222222222222222222222222222/artifacts', 1, NULL),
            ('33333333333333333333333333333333', 'gone', 'LOCAL', '', '', 'eve', 'KILLED', 13000, NULL, '', 'deleted', 'ROOT/mlruns/2/33333333333333333333333333333333/artifacts', 2, 14000);
        INSERT INTO tags VALUES ('mlflow.runName', 'parent', '11111111111111111111111111111111'), ('note', 'ü ''quoted''', '11111111111111111111111111111111'),
            ('mlflow.runName', 'child', '22222222222222222222222222222222'), ('mlflow.parentRunId', '11111111111111111111111111111111', '22222222222222222222222222222222');
        INSERT INTO params VALUES ('lr', '0.1', '11111111111111111111111111111111'), ('layers/first', '[1, 2]', '11111111111111111111111111111111');
        INSERT INTO metrics VALUES ('loss', 0.5, 10001, '11111111111111111111111111111111', 1, 0), ('loss', 0.25, 10002, '11111111111111111111111111111111', 2, 0), ('loss', 0, 10003, '11111111111111111111111111111111', 3, 1),
            ('loss', 1.7976931348623157e308, 10004, '11111111111111111111111111111111', 4, 0), ('loss', -1.7976931348623157e308, 10005, '11111111111111111111111111111111', -5, 0), ('acc', 0.75, 11001, '22222222222222222222222222222222', 0, 0);
        INSERT INTO datasets VALUES ('d1', 1, 'digits', 'abc', 'local', '{"uri": "x"}', '{"cols": 1}', NULL);
        INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id) VALUES ('i1', 'DATASET', 'd1', 'RUN', '11111111111111111111111111111111');
        INSERT INTO input_tags VALUES ('i1', 'mlflow.data.context', 'train');
        INSERT INTO registered_models VALUES ('net @SUFFIX', 30000, 31000, 'finds things'), ('foreign-@SUFFIX', 30001, 31001, NULL), ('ask-@SUFFIX', 30002, 31002, NULL);
        INSERT INTO registered_model_tags VALUES ('owner', 'ada', 'net @SUFFIX'), ('mlflow.prompt.is_prompt', 'true', 'ask-@SUFFIX');
        INSERT INTO model_versions VALUES
            ('net @SUFFIX', 1, 32000, 33000, 'first', 'ada', 'Archived', 'mlflow-artifacts:/1/11111111111111111111111111111111/artifacts/model', '11111111111111111111111111111111', 'READY', NULL, 'link', NULL),
            ('net @SUFFIX', 3, 34000, 35000, NULL, 'ada', 'Production', 'runs:/11111111111111111111111111111111/model', '11111111111111111111111111111111', 'READY', NULL, NULL, NULL),
            ('net @SUFFIX', 4, 34001, 35001, NULL, 'ada', 'Deleted_Internal', '', NULL, 'READY', NULL, NULL, NULL),
            ('foreign-@SUFFIX', 1, 36000, 37000, NULL, NULL, 'None', 'ROOT/elsewhere/model', NULL, 'READY', NULL, NULL, NULL),
            ('ask-@SUFFIX', 2, 38000, 39000, 'say', NULL, 'None', 'prompt-template', NULL, 'READY', NULL, NULL, NULL);
        INSERT INTO model_version_tags VALUES ('tested', 'yes', 'net @SUFFIX', 3), ('mlflow.prompt.text', 'Say {{x}}', 'ask-@SUFFIX', 2), ('mlflow.prompt.is_prompt', 'true', 'ask-@SUFFIX', 2);
        INSERT INTO registered_model_aliases VALUES ('champion', 3, 'net @SUFFIX');
        INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status) VALUES ('tr-55555555555555555555555555555555', 1, 40000, 1500, 'OK');
        INSERT INTO trace_tags VALUES ('mlflow.traceName', 'ask', 'tr-55555555555555555555555555555555'), ('mlflow.artifactLocation', 'mlflow-artifacts:/1/traces/tr-55555555555555555555555555555555/artifacts', 'tr-55555555555555555555555555555555');
        INSERT INTO trace_request_metadata VALUES ('mlflow.sourceRun', '11111111111111111111111111111111', 'tr-55555555555555555555555555555555');
        """;

    private const string Rows3 = """
        UPDATE trace_info SET client_request_id = 'c-1', request_preview = 'question', response_preview = 'answer';
        INSERT INTO trace_tags VALUES ('mlflow.trace.spansLocation', 'TRACKING_STORE', 'tr-55555555555555555555555555555555');
        INSERT INTO inputs VALUES ('i2', 'RUN_OUTPUT', '11111111111111111111111111111111', 'MODEL_OUTPUT', 'm-44444444444444444444444444444444', 7), ('i3', 'RUN_INPUT', '22222222222222222222222222222222', 'MODEL_INPUT', 'm-44444444444444444444444444444444', 0);
        INSERT INTO logged_models VALUES ('m-44444444444444444444444444444444', 1, 'net', 'mlflow-artifacts:/1/models/m-44444444444444444444444444444444/artifacts', 50000, 51000, 2, 'active', 'sklearn', '11111111111111111111111111111111', NULL);
        INSERT INTO logged_model_tags VALUES ('m-44444444444444444444444444444444', 1, 'kind', 'small');
        INSERT INTO logged_model_params VALUES ('m-44444444444444444444444444444444', 1, 'depth', '3');
        INSERT INTO logged_model_metrics VALUES ('m-44444444444444444444444444444444', 'auc', 52000, 1, 0.875, 1, '22222222222222222222222222222222', 'd1', 'digits', 'abc');
        INSERT INTO model_versions VALUES ('net @SUFFIX', 5, 34002, 35002, NULL, 'ada', 'None', 'models:/m-44444444444444444444444444444444', '11111111111111111111111111111111', 'READY', NULL, NULL, 'mlflow-artifacts:/1/models/m-44444444444444444444444444444444/artifacts');
        INSERT INTO assessments VALUES ('a-1', 'tr-55555555555555555555555555555555', 'good', 'feedback', '0.5', NULL, 41000, 42000, 'LLM_JUDGE', 'gpt', NULL, NULL, 'because', NULL, 1, '{"k": "v"}'),
            ('a-2', 'tr-55555555555555555555555555555555', 'expected', 'expectation', '{"a": [1]}', NULL, 41001, 42001, 'HUMAN', 'ada', NULL, NULL, NULL, NULL, 1, NULL);
        INSERT INTO spans (trace_id, experiment_id, span_id, parent_span_id, name, type, status, start_time_unix_nano, end_time_unix_nano, content) VALUES
            ('tr-55555555555555555555555555555555', 1, '0000000000000001', NULL, 'ask', 'LLM', 'OK', 40000000000, 41500000000,
             '{"trace_id": "VVVVVVVVVVVVVVVVVVVVVQ==", "span_id": "AAAAAAAAAAE=", "parent_span_id": null, "name": "ask", "start_time_unix_nano": 40000000000, "end_time_unix_nano": 41500000000, "events": [{"name": "e", "time_unix_nano": 40500000000, "attributes": {"n": 1}}], "status": {"code": "STATUS_CODE_OK", "message": ""}, "attributes": {"mlflow.traceRequestId": "\"tr-55555555555555555555555555555555\"", "mlflow.spanType": "\"LLM\""}}');
        INSERT INTO entity_associations VALUES ('e1', 'trace', 'tr-55555555555555555555555555555555', 'run', '22222222222222222222222222222222', 1), ('e2', 'trace', 'tr-55555555555555555555555555555555', 'prompt_version', 'ask-@SUFFIX/2', 1);
        """;

    /// <summary>A database with everything, and its files in <c>mlruns</c> and <c>elsewhere</c> beside it. The suffix keeps names of several tests apart.</summary>
    public static string Make(string root, string suffix, bool three)
    {
        var path = Path.Combine(root, "mlflow.db");
        using var connection = SqliteFile.OpenWrite(path);
        Execute(connection, three ? MlflowSchema.Text : Schema2);
        Execute(connection, Own(Rows, root, suffix));
        Write(root, "mlruns/1/" + Parent + "/artifacts/model/MLmodel", "flavors: {}\n");
        Write(root, "mlruns/1/" + Parent + "/artifacts/ä b.txt", "text");
        Write(root, "mlruns/1/" + Child + "/artifacts/plots/one.png", new string('x', 300_000));
        Write(root, "mlruns/1/" + Child + "/artifacts/empty", "");
        Write(root, "elsewhere/model/MLmodel", "flavors: {}\n");
        Write(root, "mlruns/1/traces/" + Trace + "/artifacts/traces.json", "{}");
        if (three)
        {
            Execute(connection, Own(Rows3, root, suffix));
            Write(root, "mlruns/1/models/" + LoggedModel + "/artifacts/MLmodel", "flavors: {}\n");
        }

        return path;
    }

    public static void Execute(string path, string sql)
    {
        using var connection = SqliteFile.OpenWrite(path);
        Execute(connection, sql);
    }

    public static void Execute(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Adds a metric of many points to a run.</summary>
    public static void AddPoints(string path, string run, int count) => Execute(
        path,
        string.Create(CultureInfo.InvariantCulture, $"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1}) INSERT INTO metrics SELECT 'long', i * 0.5, 60000 + i, '{run}', i, 0 FROM n"));

    private static string Own(string sql, string root, string suffix) => sql.Replace("ROOT", root, StringComparison.Ordinal).Replace("@SUFFIX", suffix, StringComparison.Ordinal);

    private static void Write(string root, string path, string text)
    {
        var full = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
