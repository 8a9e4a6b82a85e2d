using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Searches runs. The page is found first, then read and sent in pieces: clients ask for 10,000 at once.</summary>
internal sealed class SearchRuns(IDatabase database) : MlflowOperation
{
    private const int Piece = 500;

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/search");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var query = SearchReader.Runs(request);
        var page = await database.ReadAsync(
            connection =>
            {
                var experiments = request.Texts("experiment_ids")
                    .Select(id => ExperimentStore.ById(connection, call.WorkspaceKey, id)?.Key)
                    .OfType<long>()
                    .Distinct()
                    .ToList();
                return query.Run(connection, call.WorkspaceKey, experiments, call.Uris);
            },
            ct);
        await call.StreamAsync(
            async json =>
            {
                if (page.Items.Count > 0)
                {
                    json.WriteStartArray("runs");
                    foreach (var keys in page.Items.Chunk(Piece))
                    {
                        foreach (var run in await database.ReadAsync(connection => RunDetail.Read(connection, RunStore.ByKeys(connection, keys)), ct))
                        {
                            json.WriteStartObject();
                            json.RunMembers(run, call.Uris);
                            json.WriteEndObject();
                        }

                        await json.FlushAsync(ct);
                    }

                    json.WriteEndArray();
                }

                if (page.Next is not null)
                {
                    json.WriteString("next_page_token", page.Next);
                }
            },
            ct);
    }
}
