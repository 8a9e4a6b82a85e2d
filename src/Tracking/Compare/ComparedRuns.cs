using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Compare;

/// <summary>Runs that are compared, in the order in which they were named, with what is logged on them.</summary>
internal sealed record ComparedRuns(WorkspaceRef Workspace, IReadOnlyList<RunDetail> Runs)
{
    /// <summary>What their metrics reach, by run and name.</summary>
    public required IReadOnlyDictionary<(long Run, string Name), MetricExtent> Extents { get; init; }

    /// <summary>Reads the runs in one snapshot; a problem that names those that are not there.</summary>
    public static async Task<Outcome<ComparedRuns>> ReadAsync(IDatabase database, WorkspaceKeys workspaces, WorkspaceRef workspace, CompareQuery query, CancellationToken ct)
    {
        var key = await workspaces.EnsureAsync(workspace, ct);
        return await database.ReadAsync<Outcome<ComparedRuns>>(
            connection =>
            {
                var rows = query.Runs.Select(id => (Id: id, Row: RunStore.Find(connection, key, id))).ToList();
                if (rows.Where(run => run.Row is null).Select(run => new Problem(ProblemKind.NotFound, "ResourceNotFound", $"The run '{run.Id}' was not found.") { Target = "runs" }).ToList() is { Count: > 0 } missing)
                {
                    return Problem.Combine(missing);
                }

                var found = rows.ConvertAll(run => run.Row!);
                return new ComparedRuns(workspace, RunDetail.Read(connection, found))
                {
                    Extents = query.Include.Overlaps(["metrics", "columns"]) ? MetricExtents.Read(connection, [.. found.Select(row => row.Key)]) : new Dictionary<(long, string), MetricExtent>(),
                };
            },
            ct);
    }

    /// <summary>The names that any run has, in order, and of each the value of every run.</summary>
    public IEnumerable<(string Name, IReadOnlyList<T?> Values)> Each<T>(Func<RunDetail, IEnumerable<(string Name, T Value)>> pick)
        where T : class
    {
        var all = Runs.Select(run => pick(run).GroupBy(one => one.Name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last().Value, StringComparer.Ordinal)).ToList();
        foreach (var name in all.SelectMany(one => one.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            yield return (name, [.. all.Select(one => one.GetValueOrDefault(name))]);
        }
    }
}
