using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Import;

/// <summary>A run with its tags and params. Its metrics, inputs and files follow in records of their own.</summary>
internal sealed class ImportRun(RunRow run, string experiment, IReadOnlyList<(string Name, string Value)> tags, IReadOnlyList<(string Name, string Value)> values) : ImportItem
{
    public const string Word = "run";

    private const int LongestUser = 256;

    private static readonly Dictionary<string, RunStatus> Statuses = new(StringComparer.Ordinal)
    {
        ["RUNNING"] = RunStatus.Running,
        ["SCHEDULED"] = RunStatus.Scheduled,
        ["FINISHED"] = RunStatus.Completed,
        ["FAILED"] = RunStatus.Failed,
        ["KILLED"] = RunStatus.Canceled,
    };

    public override string Kind => Word;

    public override string Name => run.Id;

    public override int Weight => 1 + tags.Count + values.Count;

    public static ImportItem Read(ImportRecord record)
    {
        var tags = record.Pairs("tags");
        var id = record.Required("id", ImportRules.Run);
        var status = record.Text("status") is { } word ? Statuses.GetValueOrDefault(word, RunStatus.Unknown) : RunStatus.Running;
        if (status == RunStatus.Unknown)
        {
            record.Fault("status", $"it must be one of {string.Join(", ", Statuses.Keys)}.");
        }

        var (start, end) = (record.Time("start"), record.Time("end"));
        var named = record.Text("name") is { Length: > 0 } name ? name : tags.FirstOrDefault(tag => tag.Name == MlflowTags.RunName).Value;
        return new ImportRun(
            new RunRow
            {
                Id = id,
                Name = named is { Length: > 0 } ? named : id,
                Parent = tags.FirstOrDefault(tag => tag.Name == MlflowTags.ParentRun).Value,
                Status = (long)status,
                User = record.Text("user", LongestUser) ?? "",
                Created = start ?? -1,
                StartTime = start ?? -1,
                Started = status == RunStatus.Scheduled ? null : start,
                Ended = end,
                Deleted = record.Flag("deleted") ? 1 : 0,
            },
            record.Required("experiment", Mlflow.MlflowLimits.ExperimentName),
            tags,
            record.Pairs("params"));
    }

    public override void Apply(ImportUnit unit)
    {
        var scope = unit.Scope;
        var owner = unit.Experiment(experiment);
        var found = RunStore.Find(scope, unit.Call.Key, run.Id);
        if (found is { IsJob: true })
        {
            throw ImportUnit.OfJob(run.Id);
        }

        if (found is null)
        {
            var now = scope.Now.ToUnixTimeMilliseconds();
            found = RunStore.Insert(scope, run with { Workspace = unit.Call.Key, Created = run.StartTime < 0 ? now : run.StartTime, StartTime = run.StartTime < 0 ? now : run.StartTime }, owner);
            unit.Made(Word);
            unit.Append("experiments/runs/write", $"experiments/{owner.Id}/runs/{run.Id}");
        }
        else if (found.Experiment != owner.Key)
        {
            unit.Tell("RunStays", $"The run '{run.Id}' is here in the experiment '{found.ExperimentName}' and stays there; in the source it is in '{experiment}'.");
        }

        ImportStore.Restate(scope, run with { Key = found.Key, Created = found.Created, StartTime = run.StartTime < 0 ? found.StartTime : run.StartTime });
        if (found.Status != run.Status)
        {
            RunStore.Note(scope, found, new RunMove(run.State, run.Ended ?? run.Started ?? found.Created, null, null));
        }

        RunData.SetTags(scope, found, tags);
        foreach (var value in values)
        {
            if (RunData.LogParams(scope, found, [value]) is { } change)
            {
                unit.Tell("ParamStays", $"The param '{change.Name}' of run '{run.Id}' has another value here, which stays.");
            }
        }
    }
}
