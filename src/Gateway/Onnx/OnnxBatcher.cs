using System.Diagnostics;
using Zaffre.Gateway.Workers;

namespace Zaffre.Gateway.Onnx;

/// <summary>
/// Runs requests of one model together: those that come while a run goes on, or within the delay, are joined along the first axis, run once and told
/// apart again. What does not go together, and every request of a run that fails, runs alone. Thread safe.
/// </summary>
internal sealed class OnnxBatcher(OnnxModel model, int most, TimeSpan delay)
{
    private readonly Lock gate = new();
    private readonly Queue<Member> waiting = new();
    private bool running;
    private long runs;

    /// <summary>Runs so far; one for each that was done together.</summary>
    public long Runs => Volatile.Read(ref runs);

    /// <summary>Why the model cannot be run so; null when it can.</summary>
    public static string? Unfit(OnnxModel model)
    {
        var odd = model.Inputs.Concat(model.Outputs).FirstOrDefault(v => v.Kind != ValueKind.Tensor || v.Type == ElementType.Text || v.Shape.Count == 0 || v.Shape[0] >= 0);
        return odd is null ? null : $"Requests of the model cannot be batched: '{odd.Name}' is no tensor of numbers whose first size is free.";
    }

    /// <summary>Runs the work with others and writes its answer.</summary>
    public Task<(ScoringEnd End, double Micros)> RunAsync(OnnxWork work)
    {
        var member = new Member(work);
        lock (gate)
        {
            waiting.Enqueue(member);
            if (!running)
            {
                running = true;
                _ = Task.Factory.StartNew(RunAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }

        return member.Done.Task;
    }

    private void RunAll()
    {
        while (true)
        {
            if (delay > TimeSpan.Zero && Count < most)
            {
                Thread.Sleep(delay);
            }

            if (Next() is not { Count: > 0 } batch)
            {
                return;
            }

            try
            {
                var began = Stopwatch.GetTimestamp();
                Run(batch);
                var micros = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
                batch.ForEach(m => m.Done.SetResult((m.End, micros)));
            }
            catch (Exception e)
            {
                batch.ForEach(m => m.Done.TrySetException(e));
            }
        }
    }

    private void Run(List<Member> batch)
    {
        Interlocked.Increment(ref runs);
        if (batch.Count > 1 && TryTogether(batch))
        {
            return;
        }

        foreach (var member in batch)
        {
            member.End = member.Work.RunAndWrite();
        }
    }

    private int Count
    {
        get
        {
            lock (gate)
            {
                return waiting.Count;
            }
        }
    }

    // Those at the head of the queue that fit together. None: the thread ends.
    private List<Member> Next()
    {
        var batch = new List<Member>();
        lock (gate)
        {
            var rows = 0L;
            while (waiting.TryPeek(out var member) && (batch.Count == 0 || (rows + member.Rows <= most && member.Rows > 0 && member.GoesWith(batch[0]))))
            {
                waiting.Dequeue();
                batch.Add(member);
                rows += member.Rows;
            }

            running = batch.Count > 0;
        }

        return batch;
    }

    private bool TryTogether(List<Member> batch)
    {
        var slot = model.Rent();
        var work = batch[0].Work;
        var answered = false;
        work.Guard.Enter();
        try
        {
            foreach (var member in batch)
            {
                for (var i = 0; i < slot.Inputs.Count; i++)
                {
                    slot.Inputs[i].Join(member.Work.Slot.Inputs[i]);
                }
            }

            slot.Run(batch.Min(m => m.Work.Left));
            return answered = Divide(slot, batch);
        }
        catch (OrtException)
        {
            // Which of them it was is found out by running each alone.
            return false;
        }
        finally
        {
            work.Guard.Leave(answered);
            model.Return(slot);
        }
    }

    private static bool Divide(OnnxSlot slot, List<Member> batch)
    {
        var total = batch.Sum(m => m.Rows);
        var first = 0L;
        foreach (var member in batch)
        {
            if (!member.Work.Slot.TakeRows(slot, (first, member.Rows, total)))
            {
                return false;
            }

            member.End = member.Work.WriteOnly();
            first += member.Rows;
        }

        return true;
    }

    private sealed class Member(OnnxWork work)
    {
        public OnnxWork Work { get; } = work;

        public TaskCompletionSource<(ScoringEnd End, double Micros)> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ScoringEnd End { get; set; }

        /// <summary>Sizes of the first axis, when all inputs agree; else 0, and it runs alone.</summary>
        public long Rows { get; } = RowsOf(work.Slot);

        public bool GoesWith(Member other)
        {
            for (var i = 0; i < Work.Slot.Inputs.Count; i++)
            {
                if (!Work.Slot.Inputs[i].Shape[1..].SequenceEqual(other.Work.Slot.Inputs[i].Shape[1..]))
                {
                    return false;
                }
            }

            return other.Rows > 0;
        }

        private static long RowsOf(OnnxSlot slot)
        {
            var rows = slot.Inputs[0].Shape.Length == 0 ? 0 : slot.Inputs[0].Shape[0];
            foreach (var input in slot.Inputs)
            {
                rows = input.Shape.Length > 0 && input.Shape[0] == rows ? rows : 0;
            }

            return rows;
        }
    }
}
