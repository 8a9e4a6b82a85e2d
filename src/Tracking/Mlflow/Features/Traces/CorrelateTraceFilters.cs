using System.Data.Common;
using System.Text.Json;
using Dapper;
using Zaffre.Database;
using Zaffre.Tracking.Search;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Mlflow.Features.Traces;

/// <summary>Tells how often two filters find the same traces, of those that a third one leaves.</summary>
internal sealed class CorrelateTraceFilters(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V3("POST", "/calculate-filter-correlation");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (first, second, basis) = (Filter(request.RequiredText("filter_string1")), Filter(request.RequiredText("filter_string2")), Filter(request.Text("base_filter")));
        var ids = request.Texts("experiment_ids");
        if (ids.Count == 0)
        {
            throw MlflowErrors.Missing("experiment_ids");
        }

        var found = await database.ReadAsync(
            connection =>
            {
                var sql = SearchTraces.Scope(connection, call, ids);
                foreach (var term in basis)
                {
                    sql.And(term);
                }

                return Count(connection, sql, first, second);
            },
            ct);
        await call.WriteAsync(
            json =>
            {
                Number(json, "npmi", found.Npmi);
                Number(json, "npmi_smoothed", found.Smoothed);
                json.WriteNumber("filter1_count", found.First);
                json.WriteNumber("filter2_count", found.Second);
                json.WriteNumber("joint_count", found.Joint);
                json.WriteNumber("total_count", found.Total);
            },
            ct);
    }

    private static TraceCorrelation Count(DbConnection connection, SearchSql sql, IReadOnlyList<FilterTerm> first, IReadOnlyList<FilterTerm> second)
    {
        string All(IReadOnlyList<FilterTerm> filter) => string.Join(" AND ", filter.Select(term => $"coalesce({sql.Condition(term)}, 0)"));
        var text = $"SELECT count(*), coalesce(sum(a), 0), coalesce(sum(b), 0), coalesce(sum(a AND b), 0) FROM (SELECT ({All(first)}) AS a, ({All(second)}) AS b FROM {sql.From} WHERE {sql.Conditions})";
        var (total, one, other, joint) = connection.QueryFirst<(long, long, long, long)>(text, sql.Parameters);
        return new TraceCorrelation(total, one, other, joint);
    }

    private static IReadOnlyList<FilterTerm> Filter(string? filter)
    {
        try
        {
            return FilterParser.Parse(SearchSchema.Traces, filter);
        }
        catch (FilterException exception)
        {
            throw MlflowErrors.Invalid(exception.Message);
        }
    }

    private static void Number(Utf8JsonWriter json, string member, double value)
    {
        if (double.IsNaN(value))
        {
            json.WriteString(member, "NaN");
        }
        else
        {
            json.WriteNumber(member, value);
        }
    }
}
