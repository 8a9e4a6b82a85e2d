using System.Data.Common;
using System.Globalization;
using Dapper;

namespace Zaffre.Tracking.Search;

/// <summary>Finds by an index that a comparison leaves few runs, so that only they are looked at.</summary>
internal static class FewRuns
{
    private const int Few = 1000;
    private const int MostExperiments = 20;

    /// <summary>The keys of the runs that the strictest of the comparisons leaves, a superset of what the filter finds; null when none of them is strict.</summary>
    public static IReadOnlyList<long>? Find(DbConnection connection, IEnumerable<FilterTerm> filter, IReadOnlyList<long> experiments)
    {
        if (experiments.Count > MostExperiments)
        {
            return null;
        }

        return filter.Select(Query).OfType<(string Sql, DynamicParameters Values)>()
            .Select(query => Read(connection, query.Sql, query.Values, experiments))
            .OfType<IReadOnlyList<long>>()
            .MinBy(runs => runs.Count);
    }

    private static List<long>? Read(DbConnection connection, string sql, DynamicParameters values, IReadOnlyList<long> experiments)
    {
        var runs = new List<long>();
        foreach (var experiment in experiments)
        {
            values.Add("experiment", experiment);
            values.Add("limit", Few + 1 - runs.Count);
            runs.AddRange(connection.Query<long>(sql, values));
            if (runs.Count > Few)
            {
                return null;
            }
        }

        return runs;
    }

    private static (string Sql, DynamicParameters Values)? Query(FilterTerm term) => term switch
    {
        { Entity: FilterEntity.Param, Operator: FilterOperator.Equal, Text: { } text } => Text("run_params", term.Key, text),
        { Entity: FilterEntity.Tag, Operator: FilterOperator.Equal, Text: { } text } => Text("run_tags", term.Key, text),
        { Entity: FilterEntity.Metric, Number: { } number } => Metric(term.Key, term.Operator, number),
        _ => null,
    };

    private static (string Sql, DynamicParameters Values) Text(string table, string name, string text)
    {
        var sql = $"SELECT run FROM {table} WHERE experiment = @experiment AND name = @name AND {SortStretch.IndexedOf("value")} = {SortStretch.IndexedOf("@text")} AND value = @text LIMIT @limit";
        return (sql, new DynamicParameters(new { name, text }));
    }

    private static (string Sql, DynamicParameters Values)? Metric(string name, FilterOperator comparison, double number)
    {
        var spelled = comparison switch
        {
            FilterOperator.Equal => "=",
            FilterOperator.Greater => ">",
            FilterOperator.GreaterOrEqual => ">=",
            FilterOperator.Less => "<",
            FilterOperator.LessOrEqual => "<=",
            _ => null,
        };
        return spelled is null || double.IsNaN(number) ? null
            : (string.Create(CultureInfo.InvariantCulture, $"SELECT run FROM run_latest WHERE experiment = @experiment AND metric = (SELECT key FROM metric_names WHERE name = @name) AND nan = 0 AND value {spelled} @number LIMIT @limit"),
                new DynamicParameters(new { name, number }));
    }
}
