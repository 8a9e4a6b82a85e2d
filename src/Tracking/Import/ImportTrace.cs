using System.Text.Json.Nodes;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Mlflow.Features.Traces;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Import;

/// <summary>A trace with its tags, metadata, links to runs and assessments; its spans follow in records of their own.</summary>
internal sealed class ImportTrace(TraceRow trace, string experiment, IReadOnlyList<string> runs, IReadOnlyList<AssessmentRow> assessments) : ImportItem
{
    public const string Word = "trace";

    public override string Kind => Word;

    public override string Name => trace.Id;

    public override int Weight => 1 + Tags.Count + Metadata.Count + assessments.Count;

    private IReadOnlyList<(string Name, string Value)> Tags { get; init; } = [];

    private IReadOnlyList<(string Name, string Value)> Metadata { get; init; } = [];

    public static ImportItem Read(ImportRecord record)
    {
        var state = record.Text("state") switch
        {
            null or "" or "STATE_UNSPECIFIED" or "TRACE_STATUS_UNSPECIFIED" => TraceState.Unspecified,
            "OK" => TraceState.Ok,
            "ERROR" => TraceState.Error,
            "IN_PROGRESS" => TraceState.InProgress,
            _ => (TraceState?)null,
        };
        if (state is null)
        {
            record.Fault("state", "it must be OK, ERROR, IN_PROGRESS or STATE_UNSPECIFIED.");
        }

        return new ImportTrace(
            new TraceRow
            {
                Id = record.Required("id", ImportRules.Trace),
                ClientRequestId = record.Text("client_request_id", ImportRecord.LongestId),
                RequestPreview = TraceAccess.Cut(record.Text("request_preview")),
                ResponsePreview = TraceAccess.Cut(record.Text("response_preview")),
                Time = record.Time("time") ?? 0,
                Duration = record.Whole("duration"),
                State = (long)(state ?? TraceState.Unspecified),
            },
            record.Required("experiment", MlflowLimits.ExperimentName),
            record.Texts("runs"),
            [.. record.Objects("assessments").Select(Assessment).OfType<AssessmentRow>()])
        {
            // Where the files lie is said anew.
            Tags = [.. record.Pairs("tags").Where(tag => tag.Name != TraceKeys.ArtifactLocation)],
            Metadata = record.Pairs("metadata"),
        };
    }

    public override void Apply(ImportUnit unit)
    {
        var scope = unit.Scope;
        var owner = unit.Experiment(experiment);
        if (TraceStore.Find(scope, unit.Call.Key, trace.Id) is null)
        {
            unit.Made(Word);
        }

        var row = TraceStore.Put(scope, unit.Call.Key, trace with { Experiment = owner.Key });
        TraceStore.SetMetadata(scope, row.Key, Metadata);
        TraceStore.SetTags(scope, row.Key, Tags.Append((TraceKeys.ArtifactLocation, new ArtifactUris("mlflow-artifacts:/", "/").Of(row))));
        foreach (var run in runs)
        {
            TraceStore.Link(scope, row.Key, run);
        }

        foreach (var assessment in assessments)
        {
            if (AssessmentStore.Find(scope, row.Key, assessment.Id) is null)
            {
                AssessmentStore.Insert(scope, assessment with { Trace = row.Key });
            }
            else
            {
                AssessmentStore.Update(scope, assessment with { Trace = row.Key });
            }
        }
    }

    /// <summary>MLflow's message of an assessment, with its id and times in milliseconds.</summary>
    private static AssessmentRow? Assessment(ImportRecord record)
    {
        var id = record.Required("assessment_id", ImportRules.Assessment);
        var (created, updated) = (record.Time("created") ?? 0, record.Time("updated"));
        var document = record.Document();
        document.Remove("created");
        document.Remove("updated");
        try
        {
            return AssessmentDocument.Row(document) with { Id = id, Created = created, Updated = updated ?? created };
        }
        catch (MlflowException wrong)
        {
            record.Fault("assessment_name", wrong.Message);
            return null;
        }
    }
}

/// <summary>Spans of a trace in MLflow's wire form. A span that is there already replaces itself.</summary>
internal sealed class ImportSpans(string trace, IReadOnlyList<SpanRow> spans) : ImportItem
{
    public const string Word = "spans";
    public const int Most = 500;

    public override string Kind => Word;

    public override string Name => trace;

    public override int Weight => spans.Count;

    public override int Count => spans.Count;

    public static ImportItem Read(ImportRecord record)
    {
        var trace = record.Required("trace", ImportRules.Trace);
        var rows = new List<SpanRow>();
        var sent = record.Objects("spans");
        if (sent.Count > Most)
        {
            record.Fault("spans", $"a record has at most {Most} spans.");
        }

        foreach (var span in sent)
        {
            try
            {
                rows.Add(SpanDocuments.Row(span.Document()));
            }
            catch (Exception wrong) when (wrong is ProtobufException or InvalidOperationException)
            {
                span.Fault("span_id", wrong.Message);
            }
        }

        return new ImportSpans(trace, rows);
    }

    public override void Apply(ImportUnit unit)
    {
        var row = TraceStore.Find(unit.Scope, unit.Call.Key, trace) ?? throw unit.Missing("TraceNotFound", $"There is no trace '{trace}'; send it before its spans.");
        if (TraceStore.PutSpans(unit.Scope, row.Key, spans) is var more and > 0)
        {
            unit.Tell("SpansLeftOut", $"{more} spans of trace '{trace}' were too many: a trace keeps at most {TraceStore.MostSpans}.");
        }
    }
}
