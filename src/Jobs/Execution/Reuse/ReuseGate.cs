using System.Threading.Channels;
using Zaffre.Database;
using Zaffre.Jobs.Data;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>
/// Stands where a step would be queued: lets it through when what is known says that it runs, else holds it for <see cref="ReuseDecider"/>. A held step
/// is <c>NotStarted</c> and waits for nothing, which is all that a restart needs to know.
/// </summary>
internal sealed class ReuseGate
{
    private const int MostTrees = 64;

    private readonly Channel<string> woken = Channel.CreateUnbounded<string>();
    private readonly Channel<string> unexplained = Channel.CreateUnbounded<string>();
    private readonly Lock order = new();
    private readonly Dictionary<string, LinkedListNode<(string Root, ReuseMemory Memory)>> trees = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Root, ReuseMemory Memory)> recent = new();
    private Queue<string>? deciding;

    /// <summary>Keys of pipelines with steps to be decided.</summary>
    public ChannelReader<string> Woken => woken.Reader;

    /// <summary>Keys of steps whose decision lacks what only the disk knows.</summary>
    public ChannelReader<string> ToExplain => unexplained.Reader;

    /// <summary>Decides in the unit that would queue the step: true when it is not to be queued by the caller.</summary>
    public bool Holds(WriteScope scope, JobRow released)
    {
        if (JobWrites.Find(scope, released.JobId) is not { } step || ReuseWrites.RootOf(step) is not { } root)
        {
            return false;
        }

        // While a unit decides steps, those that become ready by it are decided by it.
        if (deciding is { } queue)
        {
            queue.Enqueue(step.JobId.Key);
            return true;
        }

        if (Find(root) is { } memory && StepChoice.Of(scope, step, memory) is { Decision: { } decision, Original: null })
        {
            Save(scope, step, decision);
            return false;
        }

        scope.OnCommitted(() => Wake(root));
        return true;
    }

    /// <summary>Stores a decision; when its text lacks what only the disk knows, that is looked up afterwards.</summary>
    public void Save(WriteScope scope, JobRow step, Decision decision)
    {
        ReuseWrites.Save(scope, step, decision);
        if (step.Parent is { } pipeline)
        {
            StepWrites.AddLine(scope, pipeline, $"{step.Step}: {Sentences.Of(decision.Reason, decision.Compared, decision.Differences)}");
        }

        if (decision.Differences.Any(difference => difference.Before is not null || difference.After is not null))
        {
            scope.OnCommitted(() => unexplained.Writer.TryWrite(step.JobId.Key));
        }
    }

    /// <summary>Runs a unit's decisions; steps that become ready meanwhile come into <paramref name="queue"/>. Only inside a unit.</summary>
    public void Decide(Queue<string> queue, Action decide)
    {
        deciding = queue;
        try
        {
            decide();
        }
        finally
        {
            deciding = null;
        }
    }

    public void Wake(string root) => woken.Writer.TryWrite(root);

    /// <summary>What is known of a tree; made when nothing is. Of many trees those that were asked for last are kept.</summary>
    public ReuseMemory MemoryOf(string root)
    {
        lock (order)
        {
            if (trees.TryGetValue(root, out var node))
            {
                recent.Remove(node);
            }
            else
            {
                node = trees[root] = new LinkedListNode<(string, ReuseMemory)>((root, new ReuseMemory()));
            }

            recent.AddFirst(node);
            if (recent.Count > MostTrees)
            {
                trees.Remove(recent.Last!.Value.Root);
                recent.RemoveLast();
            }

            return node.Value.Memory;
        }
    }

    /// <summary>What is known of a tree, or null.</summary>
    public ReuseMemory? Find(string root)
    {
        lock (order)
        {
            return trees.TryGetValue(root, out var node) ? node.Value.Memory : null;
        }
    }
}
