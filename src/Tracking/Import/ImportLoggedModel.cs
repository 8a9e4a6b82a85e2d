using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Import;

/// <summary>A logged model with what is logged on it.</summary>
internal sealed class ImportLoggedModel(LoggedModelRow model, string experiment, IReadOnlyList<ImportLoggedModel.Measured> metrics) : ImportItem
{
    public const string Word = "logged_model";

    private const int LongestDataset = 500;

    public override string Kind => Word;

    public override string Name => model.Id;

    public override int Weight => 1 + metrics.Count + Tags.Count + Values.Count;

    private IReadOnlyList<(string Name, string Value)> Tags { get; init; } = [];

    private IReadOnlyList<(string Name, string Value)> Values { get; init; } = [];

    public static ImportItem Read(ImportRecord record)
    {
        LoggedModelStatus? status = record.Text("status") switch
        {
            null or "PENDING" => LoggedModelStatus.Pending,
            "READY" => LoggedModelStatus.Ready,
            "UPLOAD_FAILED" => LoggedModelStatus.UploadFailed,
            _ => null,
        };
        if (status is null)
        {
            record.Fault("status", "it must be PENDING, READY or UPLOAD_FAILED.");
        }

        var created = record.Time("created") ?? 0;
        return new ImportLoggedModel(
            new LoggedModelRow
            {
                Id = record.Required("id", ImportRules.LoggedModel),
                Name = record.Required("name", ImportRecord.LongestId * 2),
                Type = record.Text("type", ImportRecord.LongestId * 2),
                SourceRun = record.Text("source_run", ImportRecord.LongestId) is { Length: > 0 } run ? run : null,
                Status = (long)(status ?? LoggedModelStatus.Pending),
                Created = created,
                Updated = record.Time("updated") ?? created,
                Deleted = record.Flag("deleted") ? 1 : 0,
            },
            record.Required("experiment", Mlflow.MlflowLimits.ExperimentName),
            [.. record.Objects("metrics").Select(Point)])
        {
            Tags = record.Pairs("tags"),
            Values = record.Pairs("params"),
        };
    }

    public override void Apply(ImportUnit unit)
    {
        var scope = unit.Scope;
        var owner = unit.Experiment(experiment);
        if (ImportStore.FindModel(scope, unit.Call.Key, model.Id) is null)
        {
            ImportStore.InsertModel(scope, unit.Call.Key, model with { Experiment = owner.Key });
            unit.Made(Word);
            unit.Append("experiments/models/write", $"experiments/{owner.Id}/models/{model.Id}");
        }

        var found = ImportStore.FindModel(scope, unit.Call.Key, model.Id)!;
        LoggedModelStore.SetTags(scope, found.Key, Tags);
        LoggedModelStore.SetParams(scope, found.Key, Values);
        foreach (var point in metrics)
        {
            unit.Call.Stores.Models.LogMetric(scope, found, unit.Run(point.Run), point.Point);
        }

        ImportStore.Restate(scope, model with { Key = found.Key });
    }

    private static Measured Point(ImportRecord metric)
    {
        var value = ImportRecord.Real(metric.Node("value"));
        if (value is null)
        {
            metric.Fault("value", "it must be a number, \"NaN\", \"Infinity\" or \"-Infinity\".");
        }

        return new Measured(
            metric.Required("run", ImportRules.Run),
            new ModelPoint(
                "",
                metric.Text("dataset_name", LongestDataset) ?? "",
                metric.Text("dataset_digest", LongestDataset) ?? "",
                new MetricPoint(metric.Required("name"), value ?? 0, metric.Whole("time") ?? 0, metric.Whole("step") ?? 0)));
    }

    internal sealed record Measured(string Run, ModelPoint Point);
}
