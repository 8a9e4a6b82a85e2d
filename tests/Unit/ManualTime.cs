namespace Zaffre.Tests.Unit;

/// <summary>A clock that the test moves: time that passes, and hands that somebody sets.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<Alarm> alarms = [];
    private TimeSpan passed;

    /// <summary>By how much somebody has set the clock.</summary>
    public TimeSpan Set { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) + passed + Set;

    public override long GetTimestamp() => passed.Ticks;

    /// <summary>Lets time pass, and rings what is due.</summary>
    public void Pass(TimeSpan time)
    {
        Alarm[] due;
        lock (gate)
        {
            passed += time;
            due = [.. alarms.Where(alarm => alarm.Due <= passed)];
            alarms.RemoveAll(due.Contains);
        }

        foreach (var alarm in due)
        {
            alarm.Ring();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, () => callback(state));
        alarm.Change(dueTime, period);
        return alarm;
    }

    private sealed class Alarm(ManualTime clock, Action ring) : ITimer
    {
        public TimeSpan Due { get; private set; }

        public Action Ring => ring;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.gate)
            {
                clock.alarms.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = clock.passed + dueTime;
                    clock.alarms.Add(this);
                }
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock.gate)
            {
                clock.alarms.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
