using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>An experiment by id or by name.</summary>
internal sealed class GetExperiment(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "experiments/get", "experiments/get-by-name");

    public override string Action => "workspaces/experiments/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var byName = call.Http.Request.Path.Value!.EndsWith("name", StringComparison.OrdinalIgnoreCase);
        var wanted = request.RequiredText(byName ? "experiment_name" : "experiment_id");
        var (found, tags) = await database.ReadAsync(
            connection =>
            {
                var row = byName ? ExperimentStore.ByName(connection, call.WorkspaceKey, wanted) : ExperimentStore.ById(connection, call.WorkspaceKey, wanted);
                return (row, row is null ? [] : ExperimentStore.Tags(connection, [row.Key])[row.Key].ToList());
            },
            ct);
        if (found is null)
        {
            throw byName ? MlflowErrors.NotFound($"Could not find experiment with name '{wanted}'") : MlflowErrors.NoExperiment(wanted);
        }

        await call.WriteAsync(
            json =>
            {
                json.WritePropertyName("experiment");
                json.Experiment(found, tags, call.Uris);
            },
            ct);
    }
}
