using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Zaffre.Database;

/// <summary>SQLite files that are not this server's own: stores of other programs. Each call opens a connection of its own; the caller disposes it.</summary>
public static class SqliteFile
{
    private const int CannotOpen = 14;

    /// <summary>
    /// Opens a file to read. Nothing in it changes, also while another process writes to it. Throws <see cref="DbException"/> when it is no SQLite file or cannot be read.
    /// </summary>
    public static DbConnection OpenRead(string path)
    {
        NativeSqlite.Load();
        try
        {
            return Open(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false });
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == CannotOpen && File.Exists(path))
        {
            // A file with a write-ahead log in a folder that may not be written: nobody writes to it, so its pages do not change.
            return Open(new SqliteConnectionStringBuilder { DataSource = $"file:{Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal)}?immutable=1", Mode = SqliteOpenMode.ReadOnly, Pooling = false });
        }
    }

    /// <summary>Opens a file to write, made when there is none.</summary>
    public static DbConnection OpenWrite(string path)
    {
        NativeSqlite.Load();
        return Open(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWriteCreate, Pooling = false });
    }

    private static SqliteConnection Open(SqliteConnectionStringBuilder settings)
    {
        var connection = new SqliteConnection(settings.ToString());
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA busy_timeout = 10000; SELECT count(*) FROM sqlite_master";
            command.ExecuteScalar();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
