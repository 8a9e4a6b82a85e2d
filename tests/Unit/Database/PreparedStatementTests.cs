using System.Globalization;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Tests.Unit.Database;

/// <summary>Connections that keep what they prepared.</summary>
public sealed class PreparedStatementTests : IDisposable
{
    private const string All = "SELECT x FROM t WHERE x >= @least ORDER BY x";

    private readonly DatabaseFixture fixture = new();

    public PreparedStatementTests() => fixture.Database.WriteAsync(
        scope =>
        {
            scope.Execute("CREATE TABLE t (x INTEGER PRIMARY KEY, text TEXT)");
            scope.Execute("INSERT INTO t VALUES (1, 'one'); INSERT INTO t VALUES (2, 'two'); INSERT INTO t VALUES (3, NULL)");
        },
        default).Wait();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task A_statement_that_is_still_read_from_runs_inside_itself()
    {
        var pairs = await fixture.Database.ReadAsync(
            connection => connection.Query<int>(All, new { least = 2 }, buffered: false).Select(x => (x, connection.Query<int>(All, new { least = x }).ToArray())).ToList(), default);

        Assert.Equal([2, 3], pairs.Select(pair => pair.x));
        Assert.Equal([2, 3], pairs[0].Item2);
        Assert.Equal([3], pairs[1].Item2);
    }

    [Fact]
    public async Task A_statement_that_was_left_halfway_or_failed_runs_again_from_its_start()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => fixture.Database.WriteAsync(scope => scope.Execute("INSERT INTO t (x) VALUES (@x)", new { x = 1 }), default));
        await fixture.Database.WriteAsync(scope => scope.Execute("INSERT INTO t (x) VALUES (@x)", new { x = 4 }), default);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(1, await fixture.Database.ReadAsync(connection => connection.Query<int>(All, new { least = 0 }, buffered: false).First(), default));
        }

        Assert.Equal("1 2 3 4", string.Join(' ', await fixture.Database.ReadAsync(connection => connection.Query<int>(All, new { least = 0 }).ToArray(), default)));
        Assert.Null(await fixture.Database.ReadAsync(connection => connection.ExecuteScalar<string>("SELECT text FROM t WHERE x = @x", new { x = 3 }), default));
    }

    [Fact]
    public async Task A_reader_that_throws_leaves_no_snapshot_behind()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => fixture.Database.ReadAsync<int>(
            connection => connection.QueryFirst<int>("SELECT COUNT(*) FROM t") > 0 ? throw new InvalidOperationException() : 0, default));
        await fixture.Database.WriteAsync(scope => scope.Execute("DELETE FROM t"), default);

        Assert.Equal(0, await fixture.Database.ReadAsync(connection => connection.QueryFirst<int>("SELECT COUNT(*) FROM t"), default));
    }

    [Fact]
    public async Task More_statements_than_are_kept_and_tables_that_change_are_no_matter()
    {
        for (var i = 0; i < 900; i++)
        {
            var sql = string.Create(CultureInfo.InvariantCulture, $"SELECT x + {i} FROM t WHERE x = @x");
            Assert.Equal(i + 2, await fixture.Database.ReadAsync(connection => connection.QueryFirst<int>(sql, new { x = 2 }), default));
        }

        var before = await fixture.Database.ReadAsync(connection => connection.Query<int>(All, new { least = 0 }).Count(), default);
        await fixture.Database.WriteAsync(scope => scope.Execute("ALTER TABLE t ADD COLUMN more TEXT"), default);
        Assert.Equal(before, await fixture.Database.ReadAsync(connection => connection.Query<int>(All, new { least = 0 }).Count(), default));
        Assert.Equal(3, await fixture.Database.WriteAsync(scope => scope.Execute("UPDATE t SET more = @more", new { more = "x" }), default));
    }

    [Fact]
    public async Task A_plain_statement_keeps_every_text_and_number_as_it_was()
    {
        string?[] texts = [null, "", "x", "with\0zero", "\ud83d\ude00 ü", new string('ä', 5000)];
        await fixture.Database.WriteAsync(
            scope =>
            {
                for (var i = 0; i < texts.Length; i++)
                {
                    scope.Prepare("INSERT INTO t (x, text) VALUES (?1, ?2)").Bind(1, 100 + i).Bind(2, texts[i]).Run();
                }
            },
            default);

        var read = await fixture.Database.ReadAsync(
            connection =>
            {
                var rows = new List<(long, string?)>();
                var all = connection.Prepare("SELECT x, text FROM t WHERE x >= ?1 ORDER BY x").Bind(1, 100);
                while (all.Read())
                {
                    rows.Add((all.Long(0), all.TextOrNull(1)));
                }

                return rows;
            },
            default);
        Assert.Equal(texts.Select((text, i) => (100L + i, text)), read);
    }

    [Fact]
    public async Task A_plain_statement_that_failed_or_was_left_halfway_runs_again_and_its_unit_is_undone()
    {
        const string Insert = "INSERT INTO t (x) VALUES (?1)";
        var error = await Assert.ThrowsAsync<Microsoft.Data.Sqlite.SqliteException>(() => fixture.Database.WriteAsync(
            scope =>
            {
                Assert.True(scope.Prepare("SELECT x FROM t WHERE x >= ?1").Bind(1, 1).Read());
                scope.Prepare(Insert).Bind(1, 50).Run();
                return scope.Prepare(Insert).Bind(1, 50).Run();
            },
            default));
        Assert.Contains("UNIQUE", error.Message, StringComparison.Ordinal);

        Assert.Equal(1, await fixture.Database.WriteAsync(scope => scope.Prepare(Insert).Bind(1, 50).Run(), default));
        Assert.Equal(1, await fixture.Database.ReadAsync(connection => First(connection.Prepare("SELECT x FROM t WHERE x >= ?1 ORDER BY x").Bind(1, 1)), default));
        await fixture.Database.WriteAsync(scope => scope.Execute("DELETE FROM t WHERE x < 50"), default);
        Assert.Equal(50, await fixture.Database.ReadAsync(connection => First(connection.Prepare("SELECT x FROM t WHERE x >= ?1 ORDER BY x").Bind(1, 1)), default));
        Assert.False(await fixture.Database.ReadAsync(connection => connection.Prepare("SELECT x FROM t WHERE x >= ?1 ORDER BY x").Bind(1, 51).Read(), default));
    }

    // Leaves the rest of the rows unread.
    private static long First(Statement statement) => statement.Read() ? statement.Long(0) : throw new InvalidOperationException("There is no row.");
}
