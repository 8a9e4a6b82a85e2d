using Dapper;
using Zaffre.Database;

namespace Zaffre.Tests.Unit.Database;

public sealed class GroupCommitTests : IDisposable
{
    private readonly DatabaseFixture fixture = new();

    public GroupCommitTests() => fixture.Database.WriteAsync(scope => scope.Execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"), default).Wait();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task A_unit_that_throws_is_undone_alone_and_its_neighbours_are_kept()
    {
        var units = Enumerable.Range(1, 500).Select(x => fixture.Database.WriteAsync(
            scope =>
            {
                scope.Execute("INSERT INTO t VALUES (@x)", new { x });
                scope.Append(new NewEvent("me", "t/write", $"/t/{x}"));
                return x % 7 == 0 ? throw new InvalidOperationException("seven") : x;
            },
            default)).ToList();

        await Task.WhenAll(units.Select(unit => unit.ContinueWith(_ => true, TaskScheduler.Default)));

        var kept = Enumerable.Range(1, 500).Where(x => x % 7 != 0).ToList();
        Assert.Equal(500 - kept.Count, units.Count(unit => unit.IsFaulted));
        Assert.Equal(kept, await Read<int>("SELECT x FROM t ORDER BY x"));
        Assert.Equal(kept.Count, (await fixture.Events.ReadAsync(0, 1000, default)).Count);
    }

    [Fact]
    public async Task Concurrent_increments_are_all_counted()
    {
        await fixture.Database.WriteAsync(scope => scope.Execute("INSERT INTO t VALUES (0)"), default);

        await Parallel.ForEachAsync(Enumerable.Range(0, 2000), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, ct) =>
            await fixture.Database.WriteAsync(scope => scope.Execute("UPDATE t SET x = x + 1"), ct));

        Assert.Equal([2000], await Read<int>("SELECT x FROM t"));
    }

    [Fact]
    public async Task An_acknowledged_write_is_there_after_reopening()
    {
        await fixture.Database.WriteAsync(scope => scope.Execute("INSERT INTO t VALUES (42)"), default);

        fixture.Reopen();

        Assert.Equal([42], await Read<int>("SELECT x FROM t"));
    }

    [Fact]
    public async Task A_committed_action_runs_only_when_the_unit_was_kept()
    {
        var ran = new List<string>();

        await fixture.Database.WriteAsync(scope => scope.OnCommitted(() => ran.Add("kept")), default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => fixture.Database.WriteAsync(
            scope =>
            {
                scope.OnCommitted(() => ran.Add("undone"));
                throw new InvalidOperationException();
            },
            default));

        Assert.Equal(["kept"], ran);
    }

    [Fact]
    public async Task A_read_sees_one_snapshot_while_writes_go_on()
    {
        var counts = await fixture.Database.ReadAsync(
            connection =>
            {
                var before = connection.ExecuteScalar<int>("SELECT COUNT(*) FROM t");
                fixture.Database.WriteAsync(scope => scope.Execute("INSERT INTO t VALUES (1)"), default).Wait();
                return (Before: before, After: connection.ExecuteScalar<int>("SELECT COUNT(*) FROM t"));
            },
            default);

        Assert.Equal(counts.Before, counts.After);
        Assert.Equal([1], await Read<int>("SELECT COUNT(*) FROM t"));
    }

    [Fact]
    public async Task A_read_connection_cannot_write() =>
        await Assert.ThrowsAnyAsync<Exception>(() => fixture.Database.ReadAsync(connection => connection.Execute("INSERT INTO t VALUES (9)"), default));

    [Fact]
    public async Task A_waiting_reader_wakes_with_the_commit()
    {
        var wait = fixture.Events.WaitAsync(0, default);
        Assert.False(wait.IsCompleted);

        await fixture.Database.WriteAsync(scope => scope.Append(new NewEvent("me", "a/write", "/a")), default);

        Assert.Equal(1, await wait.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_data_directory_of_a_newer_build_is_refused()
    {
        await fixture.Database.WriteAsync(scope => scope.Execute("INSERT INTO migrations VALUES ('Database', '9999_future', 'x', 0)"), default);

        var refused = Assert.Throws<InvalidOperationException>(() =>
        {
            fixture.Reopen();
            return fixture.Database;
        });

        Assert.Contains("newer Zaffre", refused.Message, StringComparison.Ordinal);
    }

    private Task<List<T>> Read<T>(string sql) => fixture.Database.ReadAsync(connection => connection.Query<T>(sql).AsList(), default);
}
