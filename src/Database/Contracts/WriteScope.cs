using Dapper;

namespace Zaffre.Database;

/// <summary>
/// One unit of writing inside the group commit: SQL and events that become durable together or not at all.
/// Valid only while the unit runs.
/// </summary>
public sealed class WriteScope
{
    private readonly PreparedConnection connection;
    private readonly UnitNumbers numbers;
    private List<NewEvent>? events;
    private List<Action>? committed;
    private List<object>? announced;
    private long sequence;

    internal WriteScope(PreparedConnection connection, DateTimeOffset now, UnitNumbers numbers) => (this.connection, Now, this.numbers) = (connection, now, numbers);

    /// <summary>The time of this unit; use it for every timestamp the unit writes.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>
    /// The number of this unit: greater than those of all units that were committed before it, also before a restart. A unit that asks for it takes one, so numbers have gaps.
    /// A row that keeps it can be found again as "what came after that".
    /// </summary>
    public long Sequence => sequence == 0 ? sequence = numbers.Take(this) : sequence;

    internal IReadOnlyList<NewEvent> Events => events ?? [];

    internal IReadOnlyList<Action> CommittedActions => committed ?? [];

    internal IReadOnlyList<object> Announced => announced ?? (IReadOnlyList<object>)[];

    /// <summary>Runs a statement; returns the number of rows it changed.</summary>
    public int Execute(string sql, object? parameters = null) => connection.Execute(sql, parameters);

    /// <summary>Runs a query inside the unit, seeing its own writes.</summary>
    public IReadOnlyList<T> Query<T>(string sql, object? parameters = null) => connection.Query<T>(sql, parameters).AsList();

    /// <summary>The first row, or default.</summary>
    public T? QueryFirstOrDefault<T>(string sql, object? parameters = null) => connection.QueryFirstOrDefault<T>(sql, parameters);

    /// <summary>The statement of that text, for what runs often; see <see cref="Statement"/>. The text must be one of the program's, not one that is put together.</summary>
    public Statement Prepare(string sql) => connection.Statement(sql);

    /// <summary>Appends one event to the event log, in the same transaction.</summary>
    public void Append(NewEvent change) => (events ??= []).Add(change);

    /// <summary>Hands <paramref name="what"/> to every <see cref="ICommitListener"/> after the commit is durable, in commit order; never when the unit is undone.</summary>
    public void Announce(object what)
    {
        (announced ??= []).Add(what);
        _ = Sequence;
    }

    /// <summary>Runs <paramref name="action"/> after the commit is durable; never when the unit is undone. Must be quick and must not throw.</summary>
    public void OnCommitted(Action action) => (committed ??= []).Add(action);
}
