using System.Globalization;
using Zaffre.Database;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Reading and writing of traces. A job's token writes to the traces of its own runs; those it makes are of its run.</summary>
internal sealed class TraceAccess(IDatabase database)
{
    private const int Preview = 1000;
    private const int IdLength = 256;

    public static MlflowException NotFound(string id) => MlflowErrors.NotFound($"Trace with ID '{id}' not found.");

    /// <summary>The trace that the path names.</summary>
    public static string Id(MlflowCall call) => (string)call.Http.Request.RouteValues["trace_id"]!;

    public static string? Cut(string? text) => text is { Length: > Preview } ? text[..(char.IsHighSurrogate(text[Preview - 1]) ? Preview - 1 : Preview)] : text;

    public static string CheckId(string id) => id.Length <= IdLength && id.Trim('.').Length > 0 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':')
        ? id
        : throw MlflowErrors.InvalidValue("trace_id", $"'{(id.Length > 60 ? id[..60] + "..." : id)}'", $"at most {IdLength} letters, digits, '-', '_', '.' and ':'.");

    public static TraceState State(string? state) => state switch
    {
        null or "" or "0" or "STATE_UNSPECIFIED" or "TRACE_STATUS_UNSPECIFIED" => TraceState.Unspecified,
        "1" or "OK" => TraceState.Ok,
        "2" or "ERROR" => TraceState.Error,
        "3" or "IN_PROGRESS" => TraceState.InProgress,
        _ => throw MlflowErrors.InvalidValue("state", $"'{state}'", "it must be OK, ERROR or IN_PROGRESS."),
    };

    /// <summary>RFC 3339 as milliseconds.</summary>
    public static long Instant(string member, string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.ToUnixTimeMilliseconds()
            : throw MlflowErrors.InvalidValue(member, $"'{text}'", "it must be a time such as 2025-01-31T12:00:00Z.");

    /// <summary>Protobuf's JSON of a duration, <c>1.5s</c>, as milliseconds.</summary>
    public static long? Duration(string? text) => text is null ? null
        : text.EndsWith('s') && decimal.TryParse(text[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && Math.Abs(seconds) < 1_000_000_000
            ? (long)(seconds * 1000)
            : throw MlflowErrors.InvalidValue("execution_duration", $"'{text}'", "it must be a duration such as 1.5s.");

    /// <summary>Creates or completes a trace, with where its files go, and the job's run when a job makes it.</summary>
    public static TraceRow Put(WriteScope scope, MlflowCall call, TraceRow trace, IEnumerable<(string Name, string Value)> tags, IReadOnlyList<(string Name, string Value)> metadata)
    {
        var all = metadata.ToList();
        if (LoggedBy(call) is { } job && all.All(pair => pair.Name != TraceKeys.SourceRun))
        {
            all.Add((TraceKeys.SourceRun, job));
        }

        if (RunOf(all) is { } run)
        {
            RunAccess.CheckJob(scope, call, run);
        }
        else
        {
            RunAccess.RefuseJob(call, "make traces in another workspace");
        }

        if (TraceStore.Find(scope, call.WorkspaceKey, trace.Id) is not null)
        {
            Find(scope, call, trace.Id);
        }

        var row = TraceStore.Put(scope, call.WorkspaceKey, trace);
        TraceStore.SetMetadata(scope, row.Key, all);
        TraceStore.SetTags(scope, row.Key, tags.Append((TraceKeys.ArtifactLocation, call.Uris.Of(row))));
        return row;
    }

    /// <summary>The trace, when the caller may write to it.</summary>
    public static TraceRow Find(WriteScope scope, MlflowCall call, string id)
    {
        var trace = TraceStore.Find(scope, call.WorkspaceKey, id) ?? throw NotFound(id);
        if (call.Caller.Job is not null)
        {
            if (TraceStore.SourceRun(scope, trace.Key) is { } run)
            {
                RunAccess.CheckJob(scope, call, run);
            }
            else
            {
                RunAccess.RefuseJob(call, "change traces of no run");
            }
        }

        return trace;
    }

    public static ExperimentRow Experiment(WriteScope scope, MlflowCall call, string id)
    {
        var experiment = ExperimentStore.ById(scope, call.WorkspaceKey, id) ?? throw MlflowErrors.NoExperiment(id);
        ExperimentAccess.MustBeActive(experiment);
        return experiment;
    }

    public async Task<TraceDetail> ReadAsync(MlflowCall call, string id, CancellationToken ct) => await database.ReadAsync(
        connection => TraceStore.Find(connection, call.WorkspaceKey, id) is { } row ? TraceStore.Read(connection, [row.Key])[0] : null,
        ct) ?? throw NotFound(id);

    public Task WriteAsync(MlflowCall call, string id, Action<WriteScope, TraceRow> unit, CancellationToken ct) =>
        database.WriteAsync(scope => unit(scope, Find(scope, call, id)), ct);

    private static string? LoggedBy(MlflowCall call) => call.Caller.Job is { } job && RunAccess.InWorkspace(job, call.Workspace) ? job.Name : null;

    private static string? RunOf(List<(string Name, string Value)> metadata) => metadata.FirstOrDefault(pair => pair.Name == TraceKeys.SourceRun).Value;
}
