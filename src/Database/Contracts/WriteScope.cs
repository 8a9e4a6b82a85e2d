using Dapper;

namespace Zaffre.Database;

/// <summary>
/// One unit of writing inside the group commit: SQL and events that become durable together or not at all.
/// Valid only while the unit runs.
/// </summary>
public sealed class WriteScope
{
    private readonly PreparedConnection connection;
    private List<NewEvent>? events;
    private List<Action>? committed;

    internal WriteScope(PreparedConnection connection, DateTimeOffset now) => (this.connection, Now) = (connection, now);

    /// <summary>The time of this unit; use it for every timestamp the unit writes.</summary>
    public DateTimeOffset Now { get; }

    internal IReadOnlyList<NewEvent> Events => events ?? [];

    internal IReadOnlyList<Action> CommittedActions => committed ?? [];

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

    /// <summary>Runs <paramref name="action"/> after the commit is durable; never when the unit is undone. Must be quick and must not throw.</summary>
    public void OnCommitted(Action action) => (committed ??= []).Add(action);
}
