using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;

namespace Zaffre.Database;

/// <summary>
/// The one writer: a thread that takes queued units, runs each in a savepoint, and commits them together. A unit that throws
/// is undone alone. Units are acknowledged after the commit. Not started twice on one connection.
/// </summary>
internal sealed class GroupCommitWriter : IDisposable
{
    private const int UnitsPerCommit = 256;
    private static readonly string DigestOfNothing = Convert.ToHexStringLower(SHA256.HashData("{}"u8));
    private static readonly TimeSpan TimePerCommit = TimeSpan.FromMilliseconds(10);

    private readonly BlockingCollection<Unit> queue = [];
    private readonly PreparedConnection connection;
    private readonly EventSignal signal;
    private readonly UnitNumbers numbers;
    private readonly IReadOnlyList<ICommitListener> listeners;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Thread thread;

    public GroupCommitWriter(PreparedConnection connection, (EventSignal Signal, IReadOnlyList<ICommitListener> Listeners) heard, TimeProvider time, ILogger log)
    {
        (this.connection, signal, listeners, this.time, this.log) = (connection, heard.Signal, heard.Listeners, time, log);
        numbers = new UnitNumbers(connection);
        thread = new Thread(Run) { IsBackground = true, Name = "database writer" };
        thread.Start();
    }

    public Task<T> EnqueueAsync<T>(Func<WriteScope, T> unit)
    {
        var queued = new Unit<T>(unit);
        queue.Add(queued);
        return queued.Completion;
    }

    public void Dispose()
    {
        queue.CompleteAdding();
        thread.Join();
        connection.Dispose();
        queue.Dispose();
    }

    private void Run()
    {
        var batch = new List<Unit>(UnitsPerCommit);
        foreach (var first in queue.GetConsumingEnumerable())
        {
            batch.Clear();
            try
            {
                CommitTogether(first, batch);
            }
            catch (Exception exception)
            {
                Abandon(batch, exception);
            }
        }
    }

    private void CommitTogether(Unit first, List<Unit> batch)
    {
        batch.Add(first);
        Execute("BEGIN IMMEDIATE");
        var started = Stopwatch.GetTimestamp();
        var last = 0L;
        var unit = first;
        do
        {
            last = Math.Max(last, RunInSavepoint(unit));
        }
        while (batch.Count < UnitsPerCommit && Stopwatch.GetElapsedTime(started) < TimePerCommit && TakeNext(batch, out unit));

        // What a unit left halfway would keep its snapshot open.
        connection.Reset();
        Execute("COMMIT");
        if (last > 0)
        {
            signal.Advance(last);
        }

        foreach (var done in batch)
        {
            done.Acknowledge(listeners, log);
        }
    }

    private bool TakeNext(List<Unit> batch, out Unit unit)
    {
        if (!queue.TryTake(out unit!))
        {
            return false;
        }

        batch.Add(unit);
        return true;
    }

    /// <summary>Runs one unit; returns the sequence of its last event, 0 when it wrote none or was undone.</summary>
    private long RunInSavepoint(Unit unit)
    {
        Execute("SAVEPOINT unit");
        try
        {
            var scope = new WriteScope(connection, time.GetUtcNow(), numbers);
            unit.Run(scope);
            var sequence = WriteEvents(scope);
            Execute("RELEASE unit");
            return sequence;
        }
        catch (Exception exception) when (StillInTransaction)
        {
            connection.Reset();
            Execute("ROLLBACK TO unit");
            Execute("RELEASE unit");
            unit.Fail(Explain(exception));
            return 0;
        }
    }

    // A full disk or an I/O error makes SQLite roll the whole transaction back by itself; then every unit of the commit is lost.
    private bool StillInTransaction => !connection.IsAutocommit;

    private long WriteEvents(WriteScope scope)
    {
        var sequence = 0L;
        foreach (var change in scope.Events)
        {
            var insert = connection.Statement("INSERT INTO events (time, actor, action, subject, digest, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
            insert.Bind(1, scope.Now.ToUnixTimeMilliseconds()).Bind(2, change.Actor).Bind(3, change.Action).Bind(4, change.Subject).Bind(5, Digest(change.Payload)).Bind(6, change.Payload).Run();
            sequence = connection.LastRow;
        }

        return sequence;
    }

    private static string Digest(string payload) =>
        payload == "{}" ? DigestOfNothing : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(payload)));

    private void Abandon(List<Unit> batch, Exception exception)
    {
        DatabaseLog.CommitFailed(log, exception, batch.Count);
        connection.Reset();
        if (StillInTransaction)
        {
            Execute("ROLLBACK");
        }

        foreach (var unit in batch)
        {
            unit.Fail(Explain(exception));
        }
    }

    private static Exception Explain(Exception exception) => exception is SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_FULL }
        ? new ProblemException(new Problem(ProblemKind.InsufficientStorage, "InsufficientStorage", "The disk under the data directory is full; nothing was written. Free some space and send the request again."))
        : exception;

    private void Execute(string sql) => connection.Run(sql);

    private abstract class Unit
    {
        private IReadOnlyList<Action> committed = [];
        private (long Sequence, IReadOnlyList<object> What) announced = (0, []);

        public void Run(WriteScope scope)
        {
            Invoke(scope);
            committed = scope.CommittedActions;
            announced = scope.Announced.Count == 0 ? (0, []) : (scope.Sequence, scope.Announced);
        }

        public void Acknowledge(IReadOnlyList<ICommitListener> listeners, ILogger log)
        {
            foreach (var action in committed)
            {
                Try(action, log);
            }

            foreach (var listener in announced.What.Count == 0 ? [] : listeners)
            {
                Try(() => listener.Committed(announced.Sequence, announced.What), log);
            }

            Complete();
        }

        public abstract void Fail(Exception exception);

        protected abstract void Invoke(WriteScope scope);

        protected abstract void Complete();

        protected void Forget() => (committed, announced) = ([], (0, []));

        private static void Try(Action action, ILogger log)
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                DatabaseLog.CommittedActionFailed(log, exception);
            }
        }
    }

    private sealed class Unit<T>(Func<WriteScope, T> body) : Unit
    {
        private readonly TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? result;

        public Task<T> Completion => completion.Task;

        public override void Fail(Exception exception)
        {
            Forget();
            completion.TrySetException(exception);
        }

        protected override void Invoke(WriteScope scope) => result = body(scope);

        protected override void Complete() => completion.TrySetResult(result!);
    }
}
