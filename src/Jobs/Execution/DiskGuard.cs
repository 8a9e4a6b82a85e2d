using System.Globalization;
using Microsoft.Extensions.Logging;
using Zaffre.Compute;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// Keeps space free on the disk of the data directory, so that the server and the other jobs live when one fills it: when less is left than the reserve, the
/// running job that writes most is ended, and no other one before that one's scratch files are gone. A job that writes next to nothing is never ended for what
/// others do. Looks at the disk while jobs run only: no system tells of a disk that fills. Thread safe.
/// </summary>
internal sealed class DiskGuard : IDisposable
{
    private const double Share = 0.02;
    private const long Most = 1L << 30;
    private const int NextToNothing = 16;
    private const int LooksPerReading = 20;

    private readonly DriveInfo disk;
    private readonly ITaskLauncher launcher;
    private readonly ILogger log;
    private readonly TimeSpan interval;
    private readonly Lock gate = new();
    private readonly List<Guarded> running = [];
    private readonly ITimer timer;
    private readonly long reserve;
    private int looking;
    private int looks;

    public DiskGuard(DataDirectory data, ITaskLauncher launcher, JobOptions options, TimeProvider time, ILogger<Orchestrator> log)
    {
        (this.launcher, this.log, interval) = (launcher, log, options.DiskInterval);
        disk = new DriveInfo(data.Root);
        reserve = options.DiskReserve ?? Math.Min(Most, (long)(disk.TotalSize * Share));
        timer = time.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether less than the reserve is left.</summary>
    public bool IsLow => reserve > 0 && Free() < reserve;

    /// <summary>The state of the disk, in words.</summary>
    public string Told => $"{Size(Free())} are free on the disk of the server's data directory, where {Size(reserve)} are kept for the server";

    /// <summary>Watches what a job writes until its files are gone and the result is disposed.</summary>
    public IDisposable Watch(JobRow job, IReadOnlyList<TaskId> tasks, StopRequest stop)
    {
        var guarded = new Guarded(this, job.Id, tasks, stop);
        lock (gate)
        {
            running.Add(guarded);
            if (running.Count == 1 && reserve > 0)
            {
                timer.Change(interval, interval);
            }
        }

        return guarded;
    }

    public void Dispose() => timer.Dispose();

    private void Forget(Guarded guarded)
    {
        lock (gate)
        {
            running.Remove(guarded);
            if (running.Count == 0)
            {
                timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Look()
    {
        if (Interlocked.Exchange(ref looking, 1) != 0)
        {
            return;
        }

        try
        {
            var free = Free();
            var plenty = free >= 2 * reserve;
            Guarded[] present;
            lock (gate)
            {
                present = free < reserve || (plenty && looks++ % LooksPerReading == 0) ? [.. running] : [];
            }

            var written = present.Select(job => (Job: job, Bytes: job.Measure(launcher, keep: plenty))).ToArray();
            if (free < reserve && present.All(job => !job.Ends) && written.MaxBy(one => one.Bytes) is { Job: { } most, Bytes: var bytes } && bytes > reserve / NextToNothing)
            {
                most.End($"{Size(free)} were left of the disk of the server's data directory, where {Size(reserve)} are kept for the server, and this job was writing most: {Size(bytes)}");
                JobsLog.DiskFills(log, most.Name, free, bytes);
            }
        }
        catch (IOException)
        {
            // The next look is due soon.
        }
        finally
        {
            Volatile.Write(ref looking, 0);
        }
    }

    private long Free()
    {
        try
        {
            return disk.AvailableFreeSpace;
        }
        catch (IOException)
        {
            return long.MaxValue;
        }
    }

    private static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB");

    private sealed class Guarded(DiskGuard owner, string name, IReadOnlyList<TaskId> tasks, StopRequest stop) : IDisposable
    {
        private ITaskMeter[]? meters;

        // While there was space. Where storage is memory, only what was handed over is counted.
        private (long Written, long Handed) before;

        public string Name => name;

        /// <summary>It was asked to end, and its space is about to come back.</summary>
        public bool Ends => stop.Reason is not null;

        /// <summary>Bytes written since there was space: what it wrote in its life before does not count. <paramref name="keep"/>: there is space now.</summary>
        public long Measure(ITaskLauncher launcher, bool keep)
        {
            if (meters is null or [])
            {
                meters = [.. tasks.Select(launcher.MeterOf).OfType<ITaskMeter>()];
            }

            var readings = meters.Select(meter => meter.Read()).ToArray();
            var (written, handed) = (readings.Sum(one => one.WrittenBytes), readings.Sum(one => one.HandedBytes));
            before = keep ? (written, handed) : before;
            return written > 0 ? written - before.Written : handed - before.Handed;
        }

        public void End(string told) => stop.Ask(StopReason.DiskLimit, told);

        public void Dispose() => owner.Forget(this);
    }
}
