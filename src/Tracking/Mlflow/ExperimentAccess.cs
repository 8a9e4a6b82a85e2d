using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Writing to experiments that exist; a job's own token may make experiments, not change them.</summary>
internal sealed class ExperimentAccess(IDatabase database)
{
    public Task WriteAsync(MlflowCall call, string id, Action<WriteScope, ExperimentRow> unit, CancellationToken ct)
    {
        RunAccess.RefuseJob(call, "change experiments");
        return database.WriteAsync(
            scope =>
            {
                var found = ExperimentStore.ById(scope, call.WorkspaceKey, id) ?? throw MlflowErrors.NoExperiment(id);
                unit(scope, found);
                scope.Append(Event(call, found, "write"));
            },
            ct);
    }

    public static void MustBeActive(ExperimentRow experiment)
    {
        if (experiment.IsDeleted)
        {
            throw MlflowErrors.Invalid($"The experiment {experiment.Id} must be in the 'active' state. Current state is deleted.");
        }
    }

    public static NewEvent Event(MlflowCall call, ExperimentRow experiment, string verb) =>
        new(call.Caller.ObjectId, "Microsoft.MachineLearningServices/workspaces/experiments/" + verb, $"{call.Workspace.Id}/experiments/{experiment.Id}");
}
