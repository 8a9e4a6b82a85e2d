using Dapper;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>Writes what becomes of steps that are held, many in one unit: those that are reused end in it, and what they make ready is decided by it too.</summary>
internal sealed class StepDecisions(IDatabase database, ReuseGate gate, StepProgress progress, ReusedStep reused)
{
    /// <summary>Most steps decided in one unit, so that it stays short.</summary>
    private const int MostInUnit = 250;

    private const string HeldSql =
        "WITH RECURSIVE tree (k) AS (VALUES (@root) UNION ALL SELECT j.key FROM jobs j JOIN tree ON j.parent = tree.k WHERE j.kind <> 'Command') "
        + "SELECT s.key FROM jobs s JOIN tree ON s.parent = tree.k JOIN jobs p ON p.key = s.parent WHERE s.status = 'NotStarted' AND s.waits = 0 AND s.kind = 'Command' AND p.status = 'Running' ORDER BY s.seq";

    private const string WaitingSql =
        $"SELECT {JobRow.Columns} FROM jobs WHERE status = 'NotStarted' AND waits = 0 AND kind = 'Command' AND parent IN (SELECT key FROM jobs WHERE kind <> 'Command' AND status = 'Running')";

    /// <summary>The pipelines, by key, that have steps to be decided.</summary>
    public async Task<IReadOnlySet<string>> WaitingAsync(CancellationToken ct) =>
        (await database.ReadAsync(connection => connection.Query<JobRow>(WaitingSql).AsList(), ct)).Select(ReuseWrites.RootOf).OfType<string>().ToHashSet(StringComparer.Ordinal);

    /// <summary>Decides every step of a tree that is held, as far as it can be. The keys of which there are runs to reuse that nobody has looked at.</summary>
    public async Task<IReadOnlySet<string>> DecideAsync(string root, ReuseMemory memory)
    {
        var pass = new Pass(root, memory);
        for (var more = true; more;)
        {
            more = await WriteAsync(pass);
        }

        return pass.Unseen;
    }

    private async Task<bool> WriteAsync(Pass pass)
    {
        try
        {
            return await database.WriteAsync(scope => Write(scope, pass), CancellationToken.None);
        }
        catch (ProblemException refused) when (pass.Reusing is { } step)
        {
            // Nothing of the unit was written. The step runs, and says so itself when its output cannot be registered.
            pass.Memory.Verify(step.Key, step.Original, $"the outputs of the job {new ArmId(step.Original).Name} could not be registered: {refused.Problem.Message}");
            return true;
        }
    }

    /// <summary>Decides held steps; true when there are more than one unit should take.</summary>
    private bool Write(WriteScope scope, Pass pass)
    {
        pass.Begin();
        var queue = new Queue<string>(scope.Query<string>(HeldSql, new { root = pass.Root }));
        var decided = 0;
        gate.Decide(queue, () =>
        {
            while (decided < MostInUnit && queue.TryDequeue(out var key))
            {
                decided += Decide(scope, key, pass) ? 1 : 0;
            }
        });
        return queue.Count > 0;
    }

    private bool Decide(WriteScope scope, string key, Pass pass)
    {
        if (StepWrites.FindByKey(scope, key) is not { Status: JobStatus.NotStarted } step)
        {
            return false;
        }

        var choice = StepChoice.Of(scope, step, pass.Memory);
        if (choice.Decision is not { } decision)
        {
            if (choice.Unseen is { } unseen)
            {
                pass.Unseen.Add(unseen);
            }

            return false;
        }

        // Its plan may have been changed by what was moved.
        step = StepWrites.FindByKey(scope, key)!;
        gate.Save(scope, step, decision);
        if (choice.Original is { } original)
        {
            pass.Reusing = (decision.Key!, original.JobId.Key);
            reused.End(scope, step, original);
            pass.Reusing = null;
        }
        else
        {
            progress.Queue(scope, step);
        }

        return true;
    }

    /// <summary>The units that follow from one look.</summary>
    private sealed class Pass(string root, ReuseMemory memory)
    {
        public string Root => root;

        public ReuseMemory Memory => memory;

        public (string Key, string Original)? Reusing { get; set; }

        public HashSet<string> Unseen { get; } = new(StringComparer.Ordinal);

        public void Begin() => Reusing = null;
    }
}
