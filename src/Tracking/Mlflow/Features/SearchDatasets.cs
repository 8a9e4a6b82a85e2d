using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>The datasets that runs of some experiments read. One of its routes lacks a slash in MLflow, and clients send it so.</summary>
internal sealed class SearchDatasets(IDatabase database) : MlflowOperation
{
    private const int MostExperiments = 20;

    public override IReadOnlyList<string> Routes { get; } =
        [.. Mlflow.Routes.Of("POST", "experiments/search-datasets"), "POST /api/2.0mlflow/experiments/search-datasets"];

    public override string Action => "workspaces/experiments/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var ids = (await call.ReadAsync(ct)).Texts("experiment_ids");
        if (ids.Count is 0 or > MostExperiments)
        {
            throw MlflowErrors.InvalidValue("experiment_ids", $"with {ids.Count} ids", $"name 1 to {MostExperiments} experiments.");
        }

        var found = await database.ReadAsync(
            connection =>
            {
                var experiments = ids.Select(id => ExperimentStore.ById(connection, call.WorkspaceKey, id)).OfType<ExperimentRow>().DistinctBy(row => row.Key).ToDictionary(row => row.Key, row => row.Id);
                return InputStore.Summaries(connection, [.. experiments.Keys]).Select(summary => (Experiment: experiments[summary.Experiment], Summary: summary)).ToList();
            },
            ct);
        await call.WriteAsync(
            json =>
            {
                if (found.Count == 0)
                {
                    return;
                }

                json.WriteStartArray("dataset_summaries");
                foreach (var (experiment, summary) in found)
                {
                    json.WriteStartObject();
                    json.WriteString("experiment_id", experiment);
                    json.WriteString("name", summary.Name);
                    json.WriteString("digest", summary.Digest);
                    if (summary.Context is { } context)
                    {
                        json.WriteString("context", context);
                    }

                    json.WriteEndObject();
                }

                json.WriteEndArray();
            },
            ct);
    }
}
