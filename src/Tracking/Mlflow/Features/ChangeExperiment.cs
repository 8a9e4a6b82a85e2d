using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Renames an experiment.</summary>
internal sealed class UpdateExperiment(ExperimentAccess experiments) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "experiments/update");

    public override string Action => "workspaces/experiments/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var id = request.RequiredText("experiment_id");
        var name = request.Text("new_name") is { } asked ? MlflowLimits.ExperimentNamed(asked) : null;
        await experiments.WriteAsync(
            call,
            id,
            (scope, experiment) =>
            {
                ExperimentAccess.MustBeActive(experiment);
                if (name is null || name == experiment.Name)
                {
                    return;
                }

                if (ExperimentStore.ByName(scope, call.WorkspaceKey, name) is not null)
                {
                    throw MlflowErrors.AlreadyExists($"Experiment '{name}' already exists.");
                }

                ExperimentStore.Rename(scope, experiment.Key, name);
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Deletes an experiment, which hides its runs with it.</summary>
internal sealed class DeleteExperiment(ExperimentAccess experiments) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "experiments/delete");

    public override string Action => "workspaces/experiments/delete";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var id = (await call.ReadAsync(ct)).RequiredText("experiment_id");
        await experiments.WriteAsync(
            call,
            id,
            (scope, experiment) =>
            {
                if (experiment.Fallback != 0)
                {
                    throw MlflowErrors.Invalid("Cannot delete the default experiment '0'. This is an internally reserved experiment.");
                }

                ExperimentAccess.MustBeActive(experiment);
                ExperimentStore.SetDeleted(scope, experiment.Key, deleted: true);
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Restores a deleted experiment and with it its runs.</summary>
internal sealed class RestoreExperiment(ExperimentAccess experiments) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "experiments/restore");

    public override string Action => "workspaces/experiments/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var id = (await call.ReadAsync(ct)).RequiredText("experiment_id");
        await experiments.WriteAsync(
            call,
            id,
            (scope, experiment) =>
            {
                if (!experiment.IsDeleted)
                {
                    throw MlflowErrors.Invalid($"The experiment {experiment.Id} must be in the 'deleted' state. Current state is active.");
                }

                ExperimentStore.SetDeleted(scope, experiment.Key, deleted: false);
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Sets a tag of an experiment.</summary>
internal sealed class SetExperimentTag(ExperimentAccess experiments) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "experiments/set-experiment-tag");

    public override string Action => "workspaces/experiments/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (name, value) = MlflowLimits.ExperimentTag(request);
        await experiments.WriteAsync(
            call,
            request.RequiredText("experiment_id"),
            (scope, experiment) =>
            {
                ExperimentAccess.MustBeActive(experiment);
                ExperimentStore.SetTag(scope, experiment.Key, name, value);
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Deletes a tag of an experiment.</summary>
internal sealed class DeleteExperimentTag(ExperimentAccess experiments) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "experiments/delete-experiment-tag");

    public override string Action => "workspaces/experiments/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var name = request.RequiredText("key");
        await experiments.WriteAsync(
            call,
            request.RequiredText("experiment_id"),
            (scope, experiment) =>
            {
                ExperimentAccess.MustBeActive(experiment);
                if (!ExperimentStore.DeleteTag(scope, experiment.Key, name))
                {
                    throw MlflowErrors.NotFound($"No tag with name: {name} in experiment with id {experiment.Id}");
                }
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}
