using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Creates an experiment; the name is taken by deleted ones too.</summary>
internal sealed class CreateExperiment(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "experiments/create");

    public override string Action => "workspaces/experiments/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var name = MlflowLimits.ExperimentNamed(request.RequiredText("name"));
        var tags = request.Objects("tags").Select(MlflowLimits.ExperimentTag).ToList();
        if (request.Text("artifact_location") is { } location)
        {
            throw MlflowErrors.InvalidValue("artifact_location", $"'{location}'", "this server keeps the artifacts of its runs itself; leave the location out.");
        }

        var created = await database.WriteAsync(
            scope =>
            {
                if (ExperimentStore.ByName(scope, call.WorkspaceKey, name) is { } taken)
                {
                    throw MlflowErrors.AlreadyExists($"Experiment '{name}' already exists{(taken.IsDeleted ? " in deleted state. You can restore the experiment." : ".")}");
                }

                var row = ExperimentStore.Insert(scope, call.WorkspaceKey, name);
                foreach (var (key, value) in tags)
                {
                    ExperimentStore.SetTag(scope, row.Key, key, value);
                }

                scope.Append(ExperimentAccess.Event(call, row, "write"));
                return row;
            },
            ct);
        await call.WriteAsync(json => json.WriteString("experiment_id", created.Id), ct);
    }
}
