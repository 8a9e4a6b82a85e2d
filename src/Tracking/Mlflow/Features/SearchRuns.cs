using System.Data.Common;
using System.Text.Json;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>
/// Searches runs. The page and the first of its runs are read together, so that they agree whatever is written meanwhile; the others are read and sent in
/// pieces: clients ask for 10,000 at once.
/// </summary>
internal sealed class SearchRuns(IDatabase database) : MlflowOperation
{
    public const int Piece = 500;

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/search");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var query = SearchReader.Runs(request);
        var (page, runs) = await database.ReadAsync(
            connection =>
            {
                var experiments = request.Texts("experiment_ids")
                    .Select(id => ExperimentStore.ById(connection, call.WorkspaceKey, id)?.Key)
                    .OfType<long>()
                    .Distinct()
                    .ToList();
                var found = query.Run(connection, call.WorkspaceKey, experiments, call.Uris);
                return (found, Read(connection, found.Items.Take(Piece)));
            },
            ct);
        await AnswerAsync(call, database, (page, runs), ct);
    }

    /// <summary>Answers with the runs of a page, of which the first are read already.</summary>
    public static Task AnswerAsync(MlflowCall call, IDatabase database, (Page<long> Page, IReadOnlyList<RunDetail> First) found, CancellationToken ct) => call.StreamAsync(
        async json =>
        {
            if (found.Page.Items.Count > 0)
            {
                json.WriteStartArray("runs");
                Write(json, call, found.First);
                await json.FlushAsync(ct);
                foreach (var keys in found.Page.Items.Skip(Piece).Chunk(Piece))
                {
                    Write(json, call, await database.ReadAsync(connection => Read(connection, keys), ct));
                    await json.FlushAsync(ct);
                }

                json.WriteEndArray();
            }

            if (found.Page.Next is not null)
            {
                json.WriteString("next_page_token", found.Page.Next);
            }
        },
        ct);

    public static IReadOnlyList<RunDetail> Read(DbConnection connection, IEnumerable<long> keys) => RunDetail.Read(connection, RunStore.ByKeys(connection, [.. keys]));

    private static void Write(Utf8JsonWriter json, MlflowCall call, IReadOnlyList<RunDetail> runs)
    {
        foreach (var run in runs)
        {
            json.WriteStartObject();
            json.RunMembers(run, call.Uris);
            json.WriteEndObject();
        }
    }
}
