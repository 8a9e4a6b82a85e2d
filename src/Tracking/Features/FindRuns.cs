using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Mlflow.Features;
using Zaffre.Tracking.Search;
using Zaffre.Tracking.Search.Text;
using Zaffre.Web;

namespace Zaffre.Tracking.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/runs:search?text=...</c>: the runs in whose id, name, tags and params the words of the text stand, the newest first, in the form of MLflow's
/// <c>runs/search</c>. <c>experiment_ids</c> (repeated) narrows it, <c>max_results</c> (100 unless told, at most 1,000) and <c>page_token</c> page through it.
/// </summary>
internal static class FindRuns
{
    private const int UsualResults = 100;
    private const int MostResults = 1000;

    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapWorkspace("/zaffre/v1").MapGet("runs:search", HandleAsync).Requires("workspaces/experiments/runs/read");

    private static async Task<IResult> HandleAsync(HttpContext context, WorkspaceKeys workspaces, RunTextIndex index, IDatabase database, CancellationToken ct)
    {
        var query = context.Request.Query;
        var (text, ids) = (query["text"].ToString(), query["experiment_ids"].OfType<string>().ToList());
        var signature = string.Join('\n', ids.Prepend(text));
        var problems = new List<Problem>();
        var words = Words(text, problems);
        var top = Top(query["max_results"].ToString(), problems);
        var before = Before(query["page_token"].ToString(), signature, problems);
        if (problems.Count > 0)
        {
            return ArmResults.Problem(Problem.Combine(problems));
        }

        var key = await workspaces.EnsureAsync((await WorkspaceRef.BindAsync(context))!, ct);
        await index.CatchUpAsync(ct);
        var (page, runs) = await database.ReadAsync(
            connection =>
            {
                var experiments = ids.Select(id => ExperimentStore.ById(connection, key, id)?.Key).OfType<long>().Distinct().ToList();
                var found = ids.Count > 0 && experiments.Count == 0 ? [] : words.Find(connection, key, experiments, (before, top + 1));
                var page = new Page<long>([.. found.Take(top)], found.Count > top ? PageToken.Write([found[top - 1]], signature) : null);
                return (page, SearchRuns.Read(connection, page.Items.Take(SearchRuns.Piece)));
            },
            ct);
        await SearchRuns.AnswerAsync(new MlflowCall(context, MlflowMount.All[1], key), database, (page, runs), ct);
        return Results.Empty;
    }

    private static TextQuery Words(string text, List<Problem> problems)
    {
        var words = TextQuery.Parse(text.Length > TextQuery.Longest || text.Contains('\0', StringComparison.Ordinal) ? "" : text);
        if (words.Words.Count == 0)
        {
            problems.Add(ArmErrors.Invalid($"'text' must hold 1 to {TextQuery.Longest} characters to search for, and no NUL.", "text"));
        }

        return words;
    }

    private static int Top(string given, List<Problem> problems)
    {
        if (given.Length == 0)
        {
            return UsualResults;
        }

        if (int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var top) && top is >= 1 and <= MostResults)
        {
            return top;
        }

        problems.Add(ArmErrors.Invalid($"'max_results' must be between 1 and {MostResults}.", "max_results"));
        return 0;
    }

    private static long Before(string token, string signature, List<Problem> problems)
    {
        if (token.Length == 0)
        {
            return long.MaxValue;
        }

        if (PageToken.Read(token, 1, signature) is [long last])
        {
            return last;
        }

        problems.Add(ArmErrors.Invalid("'page_token' is not a token of this search.", "page_token"));
        return 0;
    }
}
