using System.Data.Common;
using Dapper;

namespace Zaffre.Database;

/// <summary>
/// Numbers write units in commit order, also across restarts: the database keeps a bound that no number has passed, and raises it a million at a time.
/// Used by the writer's thread only.
/// </summary>
internal sealed class UnitNumbers
{
    private const long Block = 1_000_000;

    private long last;
    private long bound;

    public UnitNumbers(DbConnection connection) => last = bound = connection.ExecuteScalar<long>("SELECT bound FROM unit_numbers");

    public long Take(WriteScope scope)
    {
        var number = ++last;
        if (number > bound)
        {
            // Every unit raises the bound until one of them is committed: this one may be undone.
            var raised = number + Block;
            scope.Execute("UPDATE unit_numbers SET bound = max(bound, @raised)", new { raised });
            scope.OnCommitted(() => bound = Math.Max(bound, raised));
        }

        return number;
    }
}
