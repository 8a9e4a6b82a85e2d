using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Resources;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Import;

/// <summary>What an import writes with.</summary>
internal sealed record ImportStores(IDatabase Database, WorkspaceKeys Workspaces, MetricStore Metrics, LoggedModelStore Models, IResources Resources, IAssets Assets, ArtifactStore Artifacts);

/// <summary>One call of the import: where it goes, by whom. A rehearsal writes nothing.</summary>
internal sealed record ImportCall(WorkspaceRef Workspace, long Key, Caller Caller, ImportStores Stores, bool Rehearsal);

/// <summary>Something that is told about a record that came over.</summary>
internal sealed record ImportNote(int Line, string Code, string Message);

/// <summary>Refuses a record; nothing of it is kept.</summary>
internal sealed class ImportRefusal(string code, string message) : Exception(message)
{
    public string Code => code;
}

/// <summary>Ends a record that a rehearsal can judge no further: what it belongs to would have come before it.</summary>
internal sealed class ImportUnknowable : Exception;

/// <summary>One transaction of an import, and what it counted.</summary>
internal sealed class ImportUnit(WriteScope scope, ImportCall call)
{
    private const string Provider = "Microsoft.MachineLearningServices/workspaces/";

    public WriteScope Scope => scope;

    public ImportCall Call => call;

    public int Line { get; set; }

    public List<ImportNote> Notes { get; } = [];

    /// <summary>What became new, by kind of record.</summary>
    public Dictionary<string, long> New { get; } = new(StringComparer.Ordinal);

    public void Tell(string code, string message) => Notes.Add(new ImportNote(Line, code, message));

    public void Made(string kind) => New[kind] = New.GetValueOrDefault(kind) + 1;

    public void Append(string action, string below) => scope.Append(new NewEvent(call.Caller.ObjectId, Provider + action, $"{call.Workspace.Id}/{below}"));

    public ExperimentRow Experiment(string name) => ExperimentStore.ByName(scope, call.Key, name) ?? throw Missing("ExperimentNotFound", $"There is no experiment '{name}'; send it before what belongs to it.");

    /// <summary>The run, which is no job's: a job's run is the platform's to write.</summary>
    public RunRow Run(string id)
    {
        var run = RunStore.Find(scope, call.Key, id) ?? throw Missing("RunNotFound", $"There is no run '{id}'; send it before what belongs to it.");
        return run.IsJob ? throw OfJob(id) : run;
    }

    public static ImportRefusal OfJob(string id) => new("RunIsJob", $"The run '{id}' is a job's here. Import into another workspace.");

    public Exception Missing(string code, string message) => call.Rehearsal ? new ImportUnknowable() : new ImportRefusal(code, message);
}

/// <summary>A record that was read without a fault.</summary>
internal abstract class ImportItem
{
    /// <summary>The kind of record, as it is counted.</summary>
    public abstract string Kind { get; }

    /// <summary>The id or name by which messages tell it.</summary>
    public abstract string Name { get; }

    /// <summary>How many rows it writes, about.</summary>
    public virtual int Weight => 1;

    /// <summary>How many things of its kind it holds.</summary>
    public virtual int Count => 1;

    /// <summary>Writes it; doing so again changes nothing.</summary>
    public abstract void Apply(ImportUnit unit);
}
