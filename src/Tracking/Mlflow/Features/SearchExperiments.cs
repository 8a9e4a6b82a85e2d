using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Searches experiments; <c>experiments/list</c> is its name in MLflow 1.</summary>
internal sealed class SearchExperiments(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } =
        [.. Mlflow.Routes.Of("GET|POST", "experiments/search"), .. Mlflow.Routes.Of("GET", "experiments/list")];

    public override string Action => "workspaces/experiments/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var query = SearchReader.Experiments(request);
        var (rows, tags, next) = await database.ReadAsync(
            connection =>
            {
                var page = query.Run(connection, call.WorkspaceKey, [], call.Uris);
                return (ExperimentStore.ByKeys(connection, page.Items), ExperimentStore.Tags(connection, page.Items), page.Next);
            },
            ct);
        await call.WriteAsync(
            json =>
            {
                if (rows.Count > 0)
                {
                    json.WriteStartArray("experiments");
                    foreach (var row in rows)
                    {
                        json.Experiment(row, tags[row.Key], call.Uris);
                    }

                    json.WriteEndArray();
                }

                if (next is not null)
                {
                    json.WriteString("next_page_token", next);
                }
            },
            ct);
    }
}
