using System.Data.Common;
using Dapper;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Traces;

/// <summary>Traces, what hangs on them, and their spans.</summary>
internal static class TraceStore
{
    /// <summary>Most spans of one trace; more are reported as rejected.</summary>
    public const int MostSpans = 100_000;

    private const int MostCharactersRead = 4_000_000;
    private const string ById = TraceRow.Columns + " WHERE t.workspace = @workspace AND t.id = @id";
    private const string Everything = "SELECT value FROM json_each(@keys)";
    private static readonly string[] OfTraces = ["trace_tags", "trace_metadata", "trace_runs", "trace_spans", "trace_assessments"];

    public static TraceRow? Find(DbConnection connection, long workspace, string id) => connection.QueryFirstOrDefault<TraceRow>(ById, new { workspace, id });

    public static TraceRow? Find(WriteScope scope, long workspace, string id) => scope.QueryFirstOrDefault<TraceRow>(ById, new { workspace, id });

    /// <summary>Creates the trace, or completes one that spans made before: what the client says of it counts.</summary>
    public static TraceRow Put(WriteScope scope, long workspace, TraceRow trace)
    {
        scope.Execute(
            "INSERT INTO traces (workspace, id, experiment, client_request_id, request_preview, response_preview, time, duration, state) "
            + "VALUES (@workspace, @Id, @Experiment, @ClientRequestId, @RequestPreview, @ResponsePreview, @Time, @Duration, @State) "
            + "ON CONFLICT (workspace, id) DO UPDATE SET client_request_id = coalesce(excluded.client_request_id, client_request_id), request_preview = coalesce(excluded.request_preview, request_preview), "
            + "response_preview = coalesce(excluded.response_preview, response_preview), time = excluded.time, duration = coalesce(excluded.duration, duration), state = excluded.state",
            new { workspace, trace.Id, trace.Experiment, trace.ClientRequestId, trace.RequestPreview, trace.ResponsePreview, trace.Time, trace.Duration, trace.State });
        return Find(scope, workspace, trace.Id)!;
    }

    public static void SetTags(WriteScope scope, long trace, IEnumerable<(string Name, string Value)> tags) => Set(scope, "trace_tags", trace, tags);

    public static void SetMetadata(WriteScope scope, long trace, IReadOnlyList<(string Name, string Value)> metadata)
    {
        Set(scope, "trace_metadata", trace, metadata);
        foreach (var (_, run) in metadata.Where(pair => pair.Name == TraceKeys.SourceRun))
        {
            Link(scope, trace, run);
        }
    }

    public static void Link(WriteScope scope, long trace, string run) =>
        scope.Execute("INSERT INTO trace_runs (trace, run) VALUES (@trace, @run) ON CONFLICT DO NOTHING", new { trace, run });

    public static bool DeleteTag(WriteScope scope, long trace, string name) =>
        scope.Execute("DELETE FROM trace_tags WHERE trace = @trace AND name = @name", new { trace, name }) > 0;

    public static string? Tag(WriteScope scope, long trace, string name) =>
        scope.QueryFirstOrDefault<string>("SELECT value FROM trace_tags WHERE trace = @trace AND name = @name", new { trace, name });

    public static string? SourceRun(WriteScope scope, long trace) =>
        scope.QueryFirstOrDefault<string>("SELECT value FROM trace_metadata WHERE trace = @trace AND name = @name", new { trace, name = TraceKeys.SourceRun });

    /// <summary>Stores spans; one that is sent again replaces itself. Returns how many were too many.</summary>
    public static int PutSpans(WriteScope scope, long trace, IReadOnlyList<SpanRow> spans)
    {
        var room = MostSpans - scope.QueryFirstOrDefault<int>("SELECT count(*) FROM trace_spans WHERE trace = @trace", new { trace });
        var rejected = 0;
        foreach (var span in spans)
        {
            if (room <= 0 && scope.QueryFirstOrDefault<int>("SELECT count(*) FROM trace_spans WHERE trace = @trace AND span = @Span", new { trace, span.Span }) == 0)
            {
                rejected++;
                continue;
            }

            room--;
            scope.Execute(
                "INSERT OR REPLACE INTO trace_spans (trace, span, start, name, type, status, document) VALUES (@trace, @Span, @Start, @Name, @Type, @Status, @document)",
                new { trace, span.Span, span.Start, span.Name, span.Type, span.Status, document = span.Document.ToJsonString(ZaffreJson.Options) });
        }

        return rejected;
    }

    /// <summary>The ids of a trace's spans in the order they began.</summary>
    public static IReadOnlyList<string> SpanIds(DbConnection connection, long trace) =>
        connection.Query<string>("SELECT span FROM trace_spans WHERE trace = @trace ORDER BY start, span", new { trace }).AsList();

    /// <summary>The JSON documents of the first of these spans, one at least, as many as may be in memory together. Null for one that is gone.</summary>
    public static IReadOnlyList<string?> Spans(DbConnection connection, long trace, IEnumerable<string> spans)
    {
        var (documents, characters) = (new List<string?>(), 0L);
        foreach (var span in spans.TakeWhile(_ => characters < MostCharactersRead))
        {
            var document = connection.QueryFirstOrDefault<string>("SELECT document FROM trace_spans WHERE trace = @trace AND span = @span", new { trace, span });
            characters += document?.Length ?? 0;
            documents.Add(document);
        }

        return documents;
    }

    /// <summary>Traces by key, in this order; those that are gone are left out.</summary>
    public static IReadOnlyList<TraceDetail> Read(DbConnection connection, IReadOnlyList<long> keys)
    {
        var parameters = new { keys = Keys.Json(keys) };
        var rows = connection.Query<TraceRow>(TraceRow.Columns + $" WHERE t.key IN ({Everything})", parameters).ToDictionary(row => row.Key);
        var (tags, metadata) = (Pairs(connection, "trace_tags", keys), Pairs(connection, "trace_metadata", keys));
        var assessments = connection.Query<AssessmentRow>(
            "SELECT key AS Key, trace AS Trace, id AS Id, kind AS Kind, name AS Name, value AS Value, valid AS Valid, created AS Created, updated AS Updated, document AS Document "
            + $"FROM trace_assessments WHERE trace IN ({Everything}) ORDER BY key",
            parameters).ToLookup(row => row.Trace);
        return [.. keys.Where(rows.ContainsKey).Select(key => new TraceDetail(rows[key], tags[key], metadata[key], assessments[key]))];
    }

    /// <summary>The keys of an experiment's traces: those named, or the oldest up to a time.</summary>
    public static IReadOnlyList<long> ToDelete(WriteScope scope, long experiment, IReadOnlyList<string> ids, long before, int most) => scope.Query<long>(
        ids.Count > 0
            ? "SELECT key FROM traces WHERE experiment = @experiment AND id IN (SELECT value FROM json_each(@ids))"
            : "SELECT key FROM traces WHERE experiment = @experiment AND time <= @before ORDER BY time LIMIT @most",
        new { experiment, before, most, ids = System.Text.Json.JsonSerializer.Serialize([.. ids], TrackingJson.Default.StringArray) });

    /// <summary>Deletes the traces that <paramref name="condition"/> selects, with what hangs on them.</summary>
    public static int Delete(WriteScope scope, string condition, object parameters)
    {
        foreach (var table in OfTraces)
        {
            scope.Execute($"DELETE FROM {table} WHERE trace IN (SELECT key FROM traces WHERE {condition})", parameters);
        }

        return scope.Execute($"DELETE FROM traces WHERE {condition}", parameters);
    }

    public static int Delete(WriteScope scope, IReadOnlyList<long> keys) => Delete(scope, $"key IN ({Everything})", new { keys = Keys.Json(keys) });

    private static ILookup<long, (string Name, string Value)> Pairs(DbConnection connection, string table, IReadOnlyList<long> keys) => connection
        .Query<(long Owner, string Name, string Value)>($"SELECT trace, name, value FROM {table} WHERE trace IN ({Everything}) ORDER BY name", new { keys = Keys.Json(keys) })
        .ToLookup(row => row.Owner, row => (row.Name, row.Value));

    private static void Set(WriteScope scope, string table, long trace, IEnumerable<(string Name, string Value)> pairs)
    {
        foreach (var (name, value) in pairs)
        {
            scope.Execute($"INSERT INTO {table} (trace, name, value) VALUES (@trace, @name, @value) ON CONFLICT DO UPDATE SET value = excluded.value", new { trace, name, value });
        }
    }
}
