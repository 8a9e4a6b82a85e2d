using System.Buffers;
using System.Data.Common;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Zaffre.Database;

/// <summary>
/// A statement that its connection keeps prepared, without the layers of ADO: for what runs for every request or every point. Parameters are <c>?1</c>, <c>?2</c>
/// and so on, columns count from 0. Not thread safe, and valid only as long as the unit or query it was taken in. Take it again for every use, and do not use one statement inside itself.
/// </summary>
public sealed class Statement
{
    private const int OnStack = 512;

    private readonly sqlite3 connection;
    private readonly sqlite3_stmt handle;
    private bool stepped;

    internal Statement(sqlite3 connection, string sql)
    {
        this.connection = connection;
        Check(raw.sqlite3_prepare_v2(connection, sql, out handle));
    }

    /// <summary>Sets a parameter.</summary>
    public Statement Bind(int parameter, long value)
    {
        Check(raw.sqlite3_bind_int64(handle, parameter, value));
        return this;
    }

    /// <inheritdoc cref="Bind(int, long)"/>
    public Statement Bind(int parameter, long? value) => value is { } known ? Bind(parameter, known) : BindNull(parameter);

    /// <summary>Sets a parameter; SQLite keeps NaN as NULL.</summary>
    public Statement Bind(int parameter, double value)
    {
        Check(raw.sqlite3_bind_double(handle, parameter, value));
        return this;
    }

    /// <inheritdoc cref="Bind(int, double)"/>
    public Statement Bind(int parameter, double? value) => value is { } known ? Bind(parameter, known) : BindNull(parameter);

    /// <inheritdoc cref="Bind(int, long)"/>
    public Statement Bind(int parameter, string? value)
    {
        if (value is null)
        {
            return BindNull(parameter);
        }

        if (value.Length == 0)
        {
            Check(raw.sqlite3_bind_text(handle, parameter, ""));
            return this;
        }

        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (most <= OnStack)
        {
            Span<byte> bytes = stackalloc byte[OnStack];
            Check(raw.sqlite3_bind_text(handle, parameter, bytes[..Encoding.UTF8.GetBytes(value, bytes)]));
            return this;
        }

        var rented = ArrayPool<byte>.Shared.Rent(most);
        Check(raw.sqlite3_bind_text(handle, parameter, rented.AsSpan(0, Encoding.UTF8.GetBytes(value, rented))));
        ArrayPool<byte>.Shared.Return(rented);
        return this;
    }

    /// <summary>Runs a statement without rows and makes it ready for the next parameters; returns the number of rows it changed.</summary>
    public int Run()
    {
        Check(raw.sqlite3_step(handle));
        raw.sqlite3_reset(handle);
        return raw.sqlite3_changes(connection);
    }

    /// <summary>Goes to the next row; false after the last one, when the statement is ready for the next parameters.</summary>
    public bool Read()
    {
        stepped = true;
        if (Check(raw.sqlite3_step(handle)) == raw.SQLITE_ROW)
        {
            return true;
        }

        Reset();
        return false;
    }

    /// <summary>Reads nothing more of the rows.</summary>
    public void Reset()
    {
        if (stepped)
        {
            stepped = false;
            raw.sqlite3_reset(handle);
        }
    }

    /// <summary>Whether the column is NULL in this row.</summary>
    public bool IsNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;

    /// <summary>An integer of this row, 0 for NULL.</summary>
    public long Long(int column) => raw.sqlite3_column_int64(handle, column);

    /// <summary>An integer of this row that may be NULL.</summary>
    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);

    /// <summary>A real number of this row, 0 for NULL.</summary>
    public double Double(int column) => raw.sqlite3_column_double(handle, column);

    /// <summary>A text of this row, empty for NULL.</summary>
    public string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(handle, column));

    /// <summary>A text of this row that may be NULL.</summary>
    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    internal void Close() => handle.Dispose();

    private Statement BindNull(int parameter)
    {
        Check(raw.sqlite3_bind_null(handle, parameter));
        return this;
    }

    private int Check(int result)
    {
        if (result is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return result;
        }

        // The message is the connection's until it does something else.
        try
        {
            SqliteException.ThrowExceptionForRC(result, connection);
        }
        finally
        {
            stepped = false;
            if (handle is not null)
            {
                raw.sqlite3_reset(handle);
            }
        }

        return result;
    }
}

/// <summary>Statements of the connections that queries get.</summary>
public static class StatementExtensions
{
    /// <summary>The statement of that text, prepared before or now; see <see cref="Statement"/>.</summary>
    public static Statement Prepare(this DbConnection connection, string sql) =>
        connection is PreparedConnection prepared ? prepared.Statement(sql) : throw new ArgumentException("The connection is none of this database.", nameof(connection));
}
