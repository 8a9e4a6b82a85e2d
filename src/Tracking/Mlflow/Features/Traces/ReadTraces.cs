using System.Data.Common;
using System.Text.Json;
using Zaffre.Database;
using Zaffre.Tracking.Artifacts;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Search;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Mlflow.Features.Traces;

/// <summary>What is known of a trace, in version 2's message.</summary>
internal sealed class GetTraceInfoV2(TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V2("GET", "/{trace_id}/info");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct) => await TraceRoutes.AnswerV2Async(call, await traces.ReadAsync(call, TraceAccess.Id(call), ct), ct);
}

/// <summary>A trace; <c>traces/get</c> brings its spans too.</summary>
internal sealed class GetTrace(IDatabase database, TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = [.. TraceRoutes.V3("GET", "/get"), .. TraceRoutes.V3("GET", "/{trace_id}")];

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var named = call.Http.Request.RouteValues["trace_id"] as string;
        var trace = await traces.ReadAsync(call, named ?? (await call.ReadAsync(ct)).RequiredText("trace_id"), ct);
        await call.StreamAsync(
            async json =>
            {
                json.WriteStartObject("trace");
                json.WriteStartObject("trace_info");
                json.TraceInfo(trace);
                json.WriteEndObject();
                if (named is null)
                {
                    await BatchGetTraces.WriteSpansAsync(json, database, trace.Row.Key, ct);
                }

                json.WriteEndObject();
            },
            ct);
    }
}

/// <summary>Several traces with their spans; those that are not there are left out.</summary>
internal sealed class BatchGetTraces(IDatabase database) : MlflowOperation
{
    private const int Most = 500;

    public override IReadOnlyList<string> Routes { get; } = [.. TraceRoutes.V3("GET", "/batchGet"), .. TraceRoutes.V3("POST", "/batchGetInfos")];

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var ids = (await call.ReadAsync(ct)).Texts("trace_ids");
        if (ids.Count is 0 or > Most)
        {
            throw MlflowErrors.InvalidValue("trace_ids", $"with {ids.Count} ids", $"name 1 to {Most} traces.");
        }

        var found = await database.ReadAsync(connection => TraceStore.Read(connection, [.. ids.Select(id => TraceStore.Find(connection, call.WorkspaceKey, id)?.Key).OfType<long>().Distinct()]), ct);
        if (call.Http.Request.Path.Value!.EndsWith("Infos", StringComparison.OrdinalIgnoreCase))
        {
            await call.WriteAsync(json => json.Array("trace_infos", found, json.TraceInfo), ct);
            return;
        }

        await call.StreamAsync(
            async json =>
            {
                if (found.Count == 0)
                {
                    return;
                }

                json.WriteStartArray("traces");
                foreach (var trace in found)
                {
                    json.WriteStartObject();
                    json.WriteStartObject("trace_info");
                    json.TraceInfo(trace);
                    json.WriteEndObject();
                    await WriteSpansAsync(json, database, trace.Row.Key, ct);
                    json.WriteEndObject();
                    await json.FlushAsync(ct);
                }

                json.WriteEndArray();
            },
            ct);
    }

    /// <summary>The spans, sent while they are read: a trace may be larger than memory.</summary>
    public static async Task WriteSpansAsync(Utf8JsonWriter json, IDatabase database, long trace, CancellationToken ct)
    {
        var ids = await database.ReadAsync(connection => TraceStore.SpanIds(connection, trace), ct);
        if (ids.Count == 0)
        {
            return;
        }

        json.WriteStartArray("spans");
        for (var sent = 0; sent < ids.Count;)
        {
            var some = await database.ReadAsync(connection => TraceStore.Spans(connection, trace, ids.Skip(sent)), ct);
            foreach (var span in some.OfType<string>())
            {
                json.WriteRawValue(span, skipInputValidation: true);
            }

            sent += some.Count;
            await json.FlushAsync(ct);
        }

        json.WriteEndArray();
    }
}

/// <summary>Searches traces, in both versions' messages.</summary>
internal sealed class SearchTraces(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = [.. TraceRoutes.V3("POST", "/search"), .. TraceRoutes.V2("GET", "")];

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var query = SearchReader.Traces(request);
        var ids = request.Texts("experiment_ids").Concat(request.Objects("locations").Select(location => location.Object("mlflow_experiment")?.Text("experiment_id") ?? ""));
        var (found, next) = await database.ReadAsync(
            connection =>
            {
                var page = query.Run(connection, Scope(connection, call, ids));
                return (TraceStore.Read(connection, page.Items), page.Next);
            },
            ct);
        await call.WriteAsync(
            json =>
            {
                json.Array("traces", found, HttpGet(call) ? json.TraceInfoV2 : json.TraceInfo);
                if (next is not null)
                {
                    json.WriteString("next_page_token", next);
                }
            },
            ct);
    }

    /// <summary>The traces of these experiments, of those that are there and not deleted.</summary>
    public static SearchSql Scope(DbConnection connection, MlflowCall call, IEnumerable<string> ids)
    {
        var experiments = ids.Select(id => ExperimentStore.ById(connection, call.WorkspaceKey, id)?.Key).OfType<long>().Distinct();
        var sql = new SearchSql(SearchQuery.TraceTables);
        sql.And($"t.experiment IN ({string.Join(", ", experiments)}) AND e.deleted = 0");
        return sql;
    }

    private static bool HttpGet(MlflowCall call) => Microsoft.AspNetCore.Http.HttpMethods.IsGet(call.Http.Request.Method);
}

/// <summary>The file that clients which keep spans as an artifact have uploaded.</summary>
internal sealed class GetTraceArtifact(TraceAccess traces, ArtifactStore artifacts) : MlflowOperation
{
    private const string File = "traces.json";

    public override IReadOnlyList<string> Routes { get; } =
        ["GET /api/3.0/mlflow/get-trace-artifact", "GET /ajax-api/3.0/mlflow/get-trace-artifact", .. Mlflow.Routes.Of("GET", "get-trace-artifact")];

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var trace = await traces.ReadAsync(call, (await call.ReadAsync(ct)).RequiredText("request_id"), ct);
        var place = new ArtifactPlace(await artifacts.RootAsync(call.Workspace, trace.Row.Prefix, ct), File);
        var found = await artifacts.OpenAsync(place.Address, ct) ?? throw MlflowErrors.NotFound($"Trace data is not stored as an artifact for trace '{trace.Row.Id}'. Its spans are in traces/get.");
        await ArtifactProxy.SendAsync(call.Http, found, File);
    }
}
