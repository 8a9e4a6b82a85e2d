using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace Zaffre.Database;

/// <summary>
/// A SQLite connection that keeps what it prepared: most statements of a server are the same few hundred, and preparing one costs more than running it.
/// Used by one thread at a time. Transactions are statements here (<c>BEGIN</c>).
/// </summary>
internal sealed class PreparedConnection(SqliteConnection connection) : DbConnection
{
    private const int MostKept = 400;

    private readonly Dictionary<string, Prepared> kept = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Statement> statements = new(StringComparer.Ordinal);

    /// <summary>True outside of a transaction.</summary>
    public bool IsAutocommit => SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) != 0;

    /// <summary>The key of the row that was inserted last.</summary>
    public long LastRow => SQLitePCL.raw.sqlite3_last_insert_rowid(connection.Handle);

    [AllowNull]
    public override string ConnectionString
    {
        get => connection.ConnectionString;
        set => throw new NotSupportedException();
    }

    public override string Database => connection.Database;

    public override string DataSource => connection.DataSource;

    public override string ServerVersion => connection.ServerVersion;

    public override ConnectionState State => connection.State;

    public override void ChangeDatabase(string databaseName) => throw new NotSupportedException();

    public override void Open()
    {
    }

    public override void Close()
    {
    }

    /// <summary>Runs a statement without parameters and without rows.</summary>
    public void Run(string sql) => Statement(sql).Run();

    /// <summary>A statement of this program, ready for its parameters. Their number is that of the texts in the program, so all are kept.</summary>
    public Statement Statement(string sql)
    {
        if (statements.TryGetValue(sql, out var statement))
        {
            statement.Reset();
            return statement;
        }

        return statements[sql] = new Statement(connection.Handle!, sql);
    }

    /// <summary>Ends what was left halfway.</summary>
    public void Reset()
    {
        foreach (var statement in statements.Values)
        {
            statement.Reset();
        }
    }

    /// <summary>Runs a statement with the parameters, prepared before or now.</summary>
    public SqliteDataReader Read(string sql, SqliteParameterCollection? parameters, CommandBehavior behavior)
    {
        var prepared = Take(sql);
        prepared.Command.Parameters.Clear();
        for (var i = 0; i < (parameters?.Count ?? 0); i++)
        {
            prepared.Command.Parameters.Add(parameters![i]);
        }

        return prepared.Reader = prepared.Command.ExecuteReader(behavior);
    }

    protected override DbCommand CreateDbCommand() => new PreparedCommand(this);

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => throw new NotSupportedException("A transaction begins with BEGIN.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Forget();
            foreach (var statement in statements.Values)
            {
                statement.Close();
            }

            connection.Dispose();
        }

        base.Dispose(disposing);
    }

    private Prepared Take(string sql)
    {
        if (kept.TryGetValue(sql, out var prepared) && prepared.Reader is null or { IsClosed: true })
        {
            return prepared;
        }

        if (prepared is null && kept.Count >= MostKept)
        {
            Forget();
        }

        // One that is still read from serves its reader; this one is then kept in its place.
        return kept[sql] = new Prepared(Command(sql));
    }

    private void Forget()
    {
        foreach (var prepared in kept.Values.Where(prepared => prepared.Reader is null or { IsClosed: true }))
        {
            prepared.Command.Dispose();
        }

        kept.Clear();
    }

    // The texts are those of this program; values come as parameters.
#pragma warning disable CA2100
    private SqliteCommand Command(string sql) => new(sql, connection);
#pragma warning restore CA2100

    private sealed record Prepared(SqliteCommand Command)
    {
        public SqliteDataReader? Reader { get; set; }
    }
}

/// <summary>A statement of a <see cref="PreparedConnection"/>.</summary>
internal sealed class PreparedCommand(PreparedConnection connection) : DbCommand
{
    // Never run: it only gathers parameters.
    private readonly SqliteCommand gathered = new();

    [AllowNull]
    public override string CommandText { get; set; } = "";

    public override int CommandTimeout { get; set; } = 30;

    public override CommandType CommandType { get; set; } = CommandType.Text;

    public override bool DesignTimeVisible { get; set; }

    public override UpdateRowSource UpdatedRowSource { get; set; }

    protected override DbConnection? DbConnection
    {
        get => connection;
        set => throw new NotSupportedException();
    }

    protected override DbParameterCollection DbParameterCollection => gathered.Parameters;

    protected override DbTransaction? DbTransaction { get; set; }

    public override void Cancel()
    {
    }

    public override void Prepare()
    {
    }

    public override int ExecuteNonQuery()
    {
        using var reader = connection.Read(CommandText!, gathered.Parameters, CommandBehavior.Default);
        return reader.RecordsAffected;
    }

    public override object? ExecuteScalar()
    {
        using var reader = connection.Read(CommandText!, gathered.Parameters, CommandBehavior.Default);
        return reader.Read() ? reader.GetValue(0) : null;
    }

    protected override DbParameter CreateDbParameter() => new SqliteParameter();

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => connection.Read(CommandText!, gathered.Parameters, behavior & ~CommandBehavior.CloseConnection);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            gathered.Dispose();
        }

        base.Dispose(disposing);
    }
}
