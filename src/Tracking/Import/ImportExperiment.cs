using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;

namespace Zaffre.Tracking.Import;

/// <summary>An experiment, known by its name. One that is there already is joined.</summary>
internal sealed class ImportExperiment(ExperimentRow experiment, IReadOnlyList<(string Name, string Value)> tags) : ImportItem
{
    public const string Word = "experiment";

    public override string Kind => Word;

    public override string Name => experiment.Name;

    public static ImportItem Read(ImportRecord record) => new ImportExperiment(
        new ExperimentRow
        {
            Name = record.Required("name", MlflowLimits.ExperimentName),
            Deleted = record.Flag("deleted") ? 1 : 0,
            Created = record.Time("created") ?? -1,
            Updated = record.Time("updated") ?? -1,
        },
        record.Pairs("tags"));

    public override void Apply(ImportUnit unit)
    {
        var scope = unit.Scope;
        var found = ExperimentStore.ByName(scope, unit.Call.Key, experiment.Name);
        if (found is null)
        {
            found = ExperimentStore.Insert(scope, unit.Call.Key, experiment.Name);
            ImportStore.Restate(scope, experiment with { Key = found.Key, Created = experiment.Created < 0 ? found.Created : experiment.Created, Updated = experiment.Updated < 0 ? found.Updated : experiment.Updated });
            unit.Made(Word);
            unit.Append("experiments/write", "experiments/" + found.Id);
        }
        else if (found.Deleted != experiment.Deleted)
        {
            unit.Tell("ExperimentKeepsStage", $"The experiment '{found.Name}' is {(found.IsDeleted ? "deleted" : "active")} here and stays so; in the source it is {(experiment.IsDeleted ? "deleted" : "active")}.");
        }

        foreach (var (name, value) in tags)
        {
            ExperimentStore.SetTag(scope, found.Key, name, value);
        }
    }
}
