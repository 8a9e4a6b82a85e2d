using Zaffre.Database;
using Zaffre.Tracking.Artifacts;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Search;

namespace Zaffre.Tracking.Mlflow.Features.LoggedModels;

/// <summary>Searches logged models; metrics may be limited to those measured on named datasets.</summary>
internal sealed class SearchLoggedModels(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "logged-models/search");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var query = SearchReader.LoggedModels(request);
        var datasets = request.Objects("datasets").Select(dataset => new MetricDataset(dataset.RequiredText("dataset_name"), dataset.Text("dataset_digest"))).ToList();
        var (models, next) = await database.ReadAsync(
            connection =>
            {
                var experiments = request.Texts("experiment_ids").Select(id => ExperimentStore.ById(connection, call.WorkspaceKey, id)?.Key).OfType<long>().Distinct().ToList();
                var sql = new SearchSql(query.Tables, datasets);
                sql.And($"l.experiment IN ({string.Join(", ", experiments)}) AND l.deleted = 0 AND e.deleted = 0");
                if (datasets.Count > 0)
                {
                    sql.And(sql.MeasuredOnDatasets());
                }

                var page = query.Run(connection, sql);
                return (LoggedModelStore.Read(connection, page.Items), page.Next);
            },
            ct);
        await call.WriteAsync(
            json =>
            {
                json.Array("models", models, model => json.LoggedModel(model, call.Uris));
                if (next is not null)
                {
                    json.WriteString("next_page_token", next);
                }
            },
            ct);
    }
}

/// <summary>What lies directly in a folder of a model's files.</summary>
internal sealed class ListLoggedModelFiles(LoggedModelAccess models, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "logged-models/{model_id}/artifacts/directories");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var folder = ArtifactPath.Check((await call.ReadAsync(ct)).TextOrEmpty("artifact_directory_path"));
        var model = await models.FindAsync(call, LoggedModelAccess.Id(call), ct);
        var entries = await artifacts.ListAsync(await artifacts.RootAsync(call.Workspace, model.Prefix, ct), folder, ct);
        await call.WriteAsync(
            json =>
            {
                json.WriteString("root_uri", call.Uris.Of(model));
                ListArtifacts.WriteFiles(json, entries, entry => entry.Path);
            },
            ct);
    }
}

/// <summary>One of a model's files.</summary>
internal sealed class GetLoggedModelFile(LoggedModelAccess models, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "logged-models/{model_id}/artifacts/files");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var path = ArtifactPath.Check((await call.ReadAsync(ct)).RequiredText("artifact_file_path"));
        var model = await models.FindAsync(call, LoggedModelAccess.Id(call), ct);
        var place = new ArtifactPlace(await artifacts.RootAsync(call.Workspace, model.Prefix, ct), path);
        var found = await artifacts.OpenAsync(place.Address, ct) ?? throw MlflowErrors.NotFound($"No artifact '{path}' in model '{model.Id}'");
        await ArtifactProxy.SendAsync(call.Http, found, place.FileName);
    }
}
