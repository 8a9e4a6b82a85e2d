using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;
using Zaffre.Tracking.Compare;
using Zaffre.Tracking.Compare.Features;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Tables.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/runs/{run}/tables?path=</c>: an artifact as typed rows, page by page (<c>limit</c>, <c>nextLink</c>). GET <c>/zaffre/v1{W}/compare/tables?runs=a,b&amp;path=</c>: the first
/// rows of the same artifact of several runs, side by side.
/// </summary>
internal static class GetTable
{
    private const int MostRows = 1000;
    private const int UsualRows = 100;
    private const int PageBytes = 8 * 1024 * 1024;
    private const string Reading = "workspaces/experiments/runs/read";

    public static void Map(IEndpointRouteBuilder workspace)
    {
        workspace.MapGet("runs/{run}/tables", OfRunAsync).Requires(Reading);
        workspace.MapGet("compare/tables", OfRunsAsync).Requires(Reading);
    }

    private static async Task<IResult> OfRunAsync(string run, WorkspaceRef workspace, HttpContext context, RunStore runs, ArtifactTables tables, CancellationToken ct)
    {
        if (!Asked(context.Request.Query).TryGet(out var asked, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        if (await runs.FindRowAsync(workspace, run, ct) is not { } row)
        {
            return ArmResults.Problem(ArmErrors.NotFound($"The run '{run}'"));
        }

        if (!(await tables.ReadAsync(workspace, row.Id, asked.Path, new TablePlace(asked.From, asked.Limit, PageBytes), ct)).TryGet(out var found, out problem))
        {
            return ArmResults.Problem(problem);
        }

        var answer = new JsonObject { ["run"] = row.Id, ["path"] = asked.Path, ["size"] = found.Size };
        foreach (var (name, value) in found.Table.ToJson().ToList())
        {
            answer[name] = value?.DeepClone();
        }

        if (found.Table.Next is { } next)
        {
            answer["nextLink"] = $"{context.PublicUrls().Base(context)}{context.Request.Path.ToUriComponent()}?path={Uri.EscapeDataString(asked.Path)}&limit={asked.Limit.ToString(CultureInfo.InvariantCulture)}&$skip={next}";
        }

        return ArmResults.Ok(answer);
    }

    private static async Task<IResult> OfRunsAsync(WorkspaceRef workspace, HttpContext context, RunComparison comparison, ArtifactTables tables, CancellationToken ct)
    {
        if (!Asked(context.Request.Query).TryGet(out var asked, out var problem) || !CompareQuery.Read(context.Request.Query).TryGet(out var query, out problem)
            || !(await comparison.ReadAsync(workspace, query with { Include = new HashSet<string>(StringComparer.Ordinal) }, ct)).TryGet(out var runs, out problem))
        {
            return ArmResults.Problem(problem);
        }

        var (answers, columns, contents) = (new JsonArray(), new List<List<string>?>(), new List<string?>());
        foreach (var run in runs.Runs.Select(run => run.Row.Id))
        {
            var read = await tables.ReadAsync(workspace, run, asked.Path, new TablePlace(null, asked.Limit, PageBytes / runs.Runs.Count), ct);
            var table = read.Succeeded ? read.Value.Table : null;
            columns.Add(table?.Columns.Select(column => column.Name).ToList());
            contents.Add(read.Problem?.Code ?? await comparison.Artifacts.DigestAsync(workspace, run, asked.Path, ct));
            answers.Add(new JsonObject
            {
                ["run"] = run,
                ["size"] = read.Succeeded ? read.Value.Size : null,
                ["table"] = table?.ToJson(),
                ["more"] = table?.Next is not null,
                ["error"] = read.Problem is { } error ? new JsonObject { ["code"] = error.Code, ["message"] = error.Message } : null,
            });
        }

        return ArmResults.Ok(new JsonObject
        {
            ["path"] = asked.Path,
            ["state"] = contents.Contains(null) ? CompareRow.Unknown : CompareRow.StateOf(contents),
            ["columns"] = new JsonArray([.. columns.SelectMany(names => names ?? []).Distinct(StringComparer.Ordinal).Select(name => (JsonNode)new JsonObject
            {
                ["name"] = name,
                ["state"] = columns.TrueForAll(names => names is not null && names.Contains(name)) ? CompareRow.Same : CompareRow.Different,
            })]),
            ["runs"] = answers,
        });
    }

    private static Outcome<(string Path, int Limit, string? From)> Asked(IQueryCollection query)
    {
        var (limit, from) = (query["limit"].ToString(), query["$skip"].ToString());
        var rows = UsualRows;
        if (limit.Length > 0 && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out rows) || rows is < 1 or > MostRows))
        {
            return ArmErrors.Invalid($"limit is a number from 1 to {MostRows}.", "limit");
        }

        return ArtifactTables.Path(query["path"].ToString()).Then<(string, int, string?)>(path => (path, rows, from.Length == 0 ? null : from));
    }
}
