using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;

namespace Zaffre.Database;

/// <summary>What the modules bring into the database.</summary>
internal sealed record DatabaseParts(IEnumerable<MigrationSource> Migrations, IEnumerable<SqlFunction> Functions);

/// <summary>SQLite in WAL mode with <c>synchronous=FULL</c>: read connections side by side, one writer with group commit.</summary>
internal sealed class SqliteDatabase : IDatabase, IDisposable
{
    private readonly ConcurrentBag<PreparedConnection> readers = [];
    private readonly string connectionString;
    private readonly IReadOnlyList<SqlFunction> functions;
    private readonly GroupCommitWriter writer;
    private volatile bool disposed;

    public SqliteDatabase(DataDirectory data, DatabaseParts parts, (EventSignal Signal, IReadOnlyList<ICommitListener> Listeners) heard, TimeProvider time, ILogger<SqliteDatabase> log)
    {
        NativeSqlite.Load();
        Directory.CreateDirectory(data.Root);
        var path = data.Path("zaffre.db");
        functions = [.. parts.Functions];
        connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString();
        var connection = Open();
        connection.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864;");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Migrator.Apply(connection, parts.Migrations, time.GetUtcNow());
        heard.Signal.Advance(connection.ExecuteScalar<long>("SELECT COALESCE(MAX(sequence), 0) FROM events"));
        writer = new GroupCommitWriter(new PreparedConnection(connection), heard, time, log);
    }

    public Task<T> ReadAsync<T>(Func<DbConnection, T> query, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(disposed, this);
        var connection = readers.TryTake(out var pooled) ? pooled : OpenReader();
        try
        {
            connection.Run("BEGIN");
            return Task.FromResult(query(connection));
        }
        finally
        {
            connection.Reset();
            if (!connection.IsAutocommit)
            {
                connection.Run("ROLLBACK");
            }

            if (disposed)
            {
                connection.Dispose();
            }
            else
            {
                readers.Add(connection);
            }
        }
    }

    public Task<T> WriteAsync<T>(Func<WriteScope, T> unit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return writer.EnqueueAsync(unit);
    }

    public void Dispose()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        writer.Dispose();
        while (readers.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }

    private PreparedConnection OpenReader()
    {
        var connection = Open();
        connection.Execute("PRAGMA query_only=ON;");
        return new PreparedConnection(connection);
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        connection.Execute("PRAGMA busy_timeout=10000; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192;");
        foreach (var function in functions)
        {
            connection.CreateFunction(function.Name, function.Compute, isDeterministic: true);
        }

        return connection;
    }
}
