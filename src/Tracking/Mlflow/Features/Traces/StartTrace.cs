using Zaffre.Database;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Mlflow.Features.Traces;

/// <summary>Stores what MLflow 3 says of a trace, when it begins or when it is over; sending it again changes it.</summary>
internal sealed class StartTrace(IDatabase database, TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V3("POST", "");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var info = (await call.ReadAsync(ct)).Object("trace")?.Object("trace_info") ?? throw MlflowErrors.Missing("trace");
        var location = info.Object("trace_location")?.Object("mlflow_experiment")?.Text("experiment_id")
            ?? throw MlflowErrors.Invalid("Invalid value for parameter 'trace.trace_info.trace_location' supplied: it must name an MLflow experiment.");
        var id = TraceAccess.CheckId(info.RequiredText("trace_id"));
        var time = TraceAccess.Instant("request_time", info.RequiredText("request_time"));
        var (duration, state) = (TraceAccess.Duration(info.Text("execution_duration")), TraceAccess.State(info.Text("state")));
        var (tags, metadata) = (info.Map("tags").Select(MlflowLimits.TracePair).ToList(), info.Map("trace_metadata").Select(MlflowLimits.TracePair).ToList());
        await database.WriteAsync(
            scope =>
            {
                var row = new TraceRow
                {
                    Id = id,
                    Experiment = TraceAccess.Experiment(scope, call, location).Key,
                    ClientRequestId = info.Text("client_request_id"),
                    RequestPreview = TraceAccess.Cut(info.Text("request_preview") ?? info.Text("request")),
                    ResponsePreview = TraceAccess.Cut(info.Text("response_preview") ?? info.Text("response")),
                    Time = time,
                    Duration = duration,
                    State = (long)state,
                };
                TraceAccess.Put(scope, call, row, tags, metadata);
            },
            ct);
        var trace = await traces.ReadAsync(call, id, ct);
        await call.WriteAsync(
            json =>
            {
                json.WriteStartObject("trace");
                json.WriteStartObject("trace_info");
                json.TraceInfo(trace);
                json.WriteEndObject();
                json.WriteEndObject();
            },
            ct);
    }
}

/// <summary>Begins a trace as MLflow 2 does; the server gives the id.</summary>
internal sealed class StartTraceV2(IDatabase database, TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V2("POST", "");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var experiment = request.RequiredText("experiment_id");
        var time = request.Long("timestamp_ms") ?? throw MlflowErrors.Missing("timestamp_ms");
        CreateRun.Instant("timestamp_ms", time);
        var (tags, metadata) = (request.Objects("tags").Select(MlflowLimits.TracePair).ToList(), request.Objects("request_metadata").Select(MlflowLimits.TracePair).ToList());
        var id = "tr-" + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
        await database.WriteAsync(
            scope => TraceAccess.Put(
                scope,
                call,
                new TraceRow { Id = id, Experiment = TraceAccess.Experiment(scope, call, experiment).Key, Time = time, State = (long)TraceState.InProgress },
                tags,
                metadata),
            ct);
        await TraceRoutes.AnswerV2Async(call, await traces.ReadAsync(call, id, ct), ct);
    }
}

/// <summary>Ends a trace as MLflow 2 does.</summary>
internal sealed class EndTraceV2(TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V2("PATCH", "/{trace_id}");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var end = CreateRun.Instant("timestamp_ms", request.Long("timestamp_ms") ?? throw MlflowErrors.Missing("timestamp_ms"))!.Value;
        var state = TraceAccess.State(request.Text("status"));
        var (tags, metadata) = (request.Objects("tags").Select(MlflowLimits.TracePair).ToList(), request.Objects("request_metadata").Select(MlflowLimits.TracePair).ToList());
        await traces.WriteAsync(
            call,
            TraceAccess.Id(call),
            (scope, row) => TraceAccess.Put(scope, call, row with { Duration = end - row.Time, State = (long)state }, tags, metadata),
            ct);
        await TraceRoutes.AnswerV2Async(call, await traces.ReadAsync(call, TraceAccess.Id(call), ct), ct);
    }
}

/// <summary>Spells the routes of traces, and answers with version 2's message.</summary>
internal static class TraceRoutes
{
    public static IReadOnlyList<string> V3(string methods, string path) => [$"{methods} /api/3.0/mlflow/traces{path}", $"{methods} /ajax-api/3.0/mlflow/traces{path}"];

    public static IReadOnlyList<string> V2(string methods, string path) => Mlflow.Routes.Of(methods, "traces" + path);

    public static IReadOnlyList<string> Both(string methods, string path) => [.. V2(methods, path), .. V3(methods, path)];

    public static Task AnswerV2Async(MlflowCall call, TraceDetail trace, CancellationToken ct) => call.WriteAsync(
        json =>
        {
            json.WriteStartObject("trace_info");
            json.TraceInfoV2(trace);
            json.WriteEndObject();
        },
        ct);
}
