using System.Data.Common;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Zaffre.Cli.Mlflow;

/// <summary>One row; a column that this version of the schema lacks is null.</summary>
internal readonly struct SqliteRow(DbDataReader reader, IReadOnlyDictionary<string, int> columns)
{
    public string? Text(string column) => Value(column) switch
    {
        null => null,
        byte[] bytes => System.Text.Encoding.UTF8.GetString(bytes),
        var value => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    public long? Whole(string column) => Value(column) switch
    {
        long number => number,
        double number => (long)number,
        string text when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };

    public double Real(string column) => Value(column) switch
    {
        double number => number,
        long number => number,
        string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => double.NaN,
    };

    private object? Value(string column) => columns.TryGetValue(column, out var i) && !reader.IsDBNull(i) ? reader.GetValue(i) : null;
}

/// <summary>Reads a SQLite file in one snapshot, with columns and tables by name: what a version lacks is absent.</summary>
internal sealed class SqliteRows : IDisposable
{
    private readonly DbConnection connection;
    private readonly DbTransaction snapshot;

    public SqliteRows(DbConnection connection)
    {
        this.connection = connection;
        snapshot = connection.BeginTransaction();
        var tables = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var table in Read("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name", row => row.Text("name")!))
        {
            tables[table] = [.. Read("SELECT name FROM pragma_table_xinfo(@table) ORDER BY cid", row => row.Text("name")!, ("table", table))];
        }

        Tables = tables;
    }

    /// <summary>The tables of the file with their columns.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Tables { get; }

    public bool Has(string table) => Tables.ContainsKey(table);

    /// <summary>Rows as they are asked for, one at a time.</summary>
    public IEnumerable<T> Read<T>(string sql, Func<SqliteRow, T> map, params (string Name, object? Value)[] parameters)
    {
        using var command = connection.CreateCommand();
        command.Transaction = snapshot;
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = ("@" + name, value ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }

        using var reader = command.ExecuteReader();
        var columns = Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, i => i, StringComparer.OrdinalIgnoreCase);
        while (reader.Read())
        {
            yield return map(new SqliteRow(reader, columns));
        }
    }

    /// <summary>As <see cref="Read"/>; empty when the file has no such table.</summary>
    public IEnumerable<T> Of<T>(string table, string rest, Func<SqliteRow, T> map, params (string Name, object? Value)[] parameters) =>
        Has(table) ? Read($"SELECT * FROM {table} {rest}", map, parameters) : [];

    /// <summary>Keys and values of rows, as an object.</summary>
    public JsonObject Pairs(string table, string owner, object id, string key = "key", string value = "value")
    {
        var pairs = new JsonObject();
        foreach (var (name, text) in Of(table, $"WHERE {owner} = @id ORDER BY {key}", row => (row.Text(key), row.Text(value)), ("id", id)))
        {
            pairs[name ?? ""] = text ?? "";
        }

        return pairs;
    }

    public void Dispose()
    {
        snapshot.Dispose();
        connection.Dispose();
    }
}
