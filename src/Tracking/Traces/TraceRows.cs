using System.Globalization;
using System.Text.Json.Nodes;

namespace Zaffre.Tracking.Traces;

/// <summary>The state of a trace, with the wire's numbers.</summary>
internal enum TraceState
{
    Unspecified = 0,
    Ok = 1,
    Error = 2,
    InProgress = 3,
}

/// <summary>Names of tags and metadata that mean something to this server.</summary>
internal static class TraceKeys
{
    public const string Name = "mlflow.traceName";
    public const string SourceRun = "mlflow.sourceRun";
    public const string ArtifactLocation = "mlflow.artifactLocation";
    public const string SpansLocation = "mlflow.trace.spansLocation";
    public const string InStore = "TRACKING_STORE";
    public const string LinkedPrompts = "mlflow.linkedPrompts";
    public const string SpanType = "mlflow.spanType";
    public const string RequestId = "mlflow.traceRequestId";
}

/// <summary>A row of <c>traces</c> with its experiment's wire id.</summary>
internal sealed record TraceRow
{
    public const string Columns =
        "SELECT t.key, t.id, t.experiment, e.fallback, t.client_request_id AS clientRequestId, t.request_preview AS requestPreview, t.response_preview AS responsePreview, t.time, t.duration, t.state "
        + "FROM traces t JOIN experiments e ON e.key = t.experiment";

    public long Key { get; init; }

    public string Id { get; init; } = "";

    public long Experiment { get; init; }

    public long Fallback { get; init; }

    public string? ClientRequestId { get; init; }

    public string? RequestPreview { get; init; }

    public string? ResponsePreview { get; init; }

    /// <summary>Unix milliseconds.</summary>
    public long Time { get; init; }

    /// <summary>Milliseconds; null while it lasts.</summary>
    public long? Duration { get; init; }

    public long State { get; init; }

    public string ExperimentId => Fallback != 0 ? "0" : Experiment.ToString(CultureInfo.InvariantCulture);

    /// <summary>Where the files of the trace lie in the artifact store.</summary>
    public string Prefix => "Trace/" + Id;
}

/// <summary>An assessment; <paramref name="Document"/> is the message as it was sent, without what the server adds.</summary>
internal sealed record AssessmentRow(long Key, long Trace, string Id, string Kind, string Name, string Value, long Valid, long Created, long Updated, string Document);

/// <summary>A span: its document in the form of MLflow's wire, and what filters look at.</summary>
internal sealed record SpanRow(string Trace, string Span, string? Parent, string Name, string Type, string Status, long Start, long End, JsonObject Document);

/// <summary>A trace with everything that hangs on it but its spans.</summary>
internal sealed record TraceDetail(
    TraceRow Row, IEnumerable<(string Name, string Value)> Tags, IEnumerable<(string Name, string Value)> Metadata, IEnumerable<AssessmentRow> Assessments);
