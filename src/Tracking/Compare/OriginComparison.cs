using System.Text.Json.Nodes;
using Zaffre.Web;

namespace Zaffre.Tracking.Compare;

/// <summary>What the jobs among compared runs were made from: facts side by side, and how each differs from the first.</summary>
internal sealed class OriginComparison(IEnumerable<IRunOrigins> origins)
{
    private const int MostPairs = 20;
    private const int MostDifferences = 2000;

    public async Task<(IReadOnlyList<CompareRow> Rows, JsonObject Differences)> OfAsync(ComparedRuns runs, CancellationToken ct)
    {
        var ids = runs.Runs.Select(run => run.Row.Id).ToList();
        if (origins.FirstOrDefault() is not { } source || await source.FactsAsync(runs.Workspace, ids, ct) is not { Count: > 0 } facts)
        {
            return ([], []);
        }

        var rows = facts.Values.SelectMany(one => one.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select(name => CompareRow.OfTexts(name, [.. ids.Select(id => facts.TryGetValue(id, out var one) ? one.GetValueOrDefault(name) : null)])).ToList();
        return (rows, await DifferencesAsync(source, runs.Workspace, [.. ids.Where(facts.ContainsKey)], facts, ct));
    }

    /// <summary>Jobs that were made from the same are compared once; and no more than twenty different ones.</summary>
    private static async Task<JsonObject> DifferencesAsync(
        IRunOrigins source, WorkspaceRef workspace, List<string> jobs, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> facts, CancellationToken ct)
    {
        string Shape(string job) => string.Join('\u0001', facts[job].OrderBy(fact => fact.Key, StringComparer.Ordinal).Select(fact => $"{fact.Key}\u0002{fact.Value}"));
        var groups = jobs.Skip(1).GroupBy(Shape, StringComparer.Ordinal).Where(group => group.Key != Shape(jobs[0])).ToList();
        var found = new JsonArray();
        foreach (var group in groups.Take(MostPairs))
        {
            foreach (var difference in await source.DifferencesAsync(workspace, jobs[0], group.First(), ct))
            {
                if (found.Count < MostDifferences)
                {
                    found.Add(new JsonObject
                    {
                        ["runs"] = new JsonArray([.. group.Select(job => (JsonNode)job)]),
                        ["step"] = difference.Step,
                        ["aspect"] = difference.Aspect,
                        ["what"] = difference.What,
                        ["left"] = difference.Left,
                        ["right"] = difference.Right,
                    });
                }
            }
        }

        return new JsonObject
        {
            ["base"] = jobs[0],
            ["differences"] = found,
            ["notCompared"] = new JsonArray([.. groups.Skip(MostPairs).SelectMany(group => group).Select(job => (JsonNode)job)]),
        };
    }
}
