using System.Globalization;
using Zaffre.Compute;
using Zaffre.Jobs.Data;
using Zaffre.Tracking;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// Measures attempts: live figures as the run's system metrics, under MLflow's names, and what was used in the end. A job shorter than the
/// interval is measured at its end only.
/// </summary>
internal sealed record Metering(IComputes Computes, IPrices Prices, IRunMetrics Metrics, ITaskLauncher Launcher, IGpus Gpus, JobOptions Options, TimeProvider Time)
{
    /// <summary>Begins to measure the tasks of a job that has run for <paramref name="age"/>, until the meter is disposed or <paramref name="server"/> stops.</summary>
    public Meter Begin(JobRow job, IReadOnlyList<TaskId> tasks, TimeSpan age, CancellationToken server) => new(this, job, age, CancellationTokenSource.CreateLinkedTokenSource(server), tasks);

    internal sealed class Meter : IAsyncDisposable
    {
        private const double Percent = 100;
        private const double Megabyte = 1e6;

        private readonly Metering owner;
        private readonly JobRow job;
        private readonly TimeSpan age;
        private readonly long begin;
        private readonly CancellationTokenSource ended;
        private readonly Task sampling;
        private IReadOnlyList<TaskReading> last = [];

        public Meter(Metering owner, JobRow job, TimeSpan age, CancellationTokenSource ended, IReadOnlyList<TaskId> tasks)
        {
            (this.owner, this.job, this.age, this.ended) = (owner, job, age, ended);
            begin = owner.Time.GetTimestamp();
            sampling = SampleAsync(tasks);
        }

        /// <summary>What the job used, when all of its tasks have ended.</summary>
        public async Task<JobUsage> EndAsync(IReadOnlyList<ExitRecord> records)
        {
            var wall = WallOf(records);
            await ended.CancelAsync();
            await sampling;
            var target = (await owner.Computes.FindAsync(job.Workspace, job.Compute, CancellationToken.None)).TryGet(out var found, out _) ? found : null;
            var usage = new JobUsage(wall, job.Slots, (target?.Gpus ?? 0) * job.Slots)
            {
                CpuSeconds = records.Sum(record => record.CpuSeconds) is var cpu && records.Any(record => record.CpuSeconds is not null) ? cpu : null,
                PeakMemoryBytes = records.Any(record => record.PeakMemoryBytes is not null) ? records.Sum(record => record.PeakMemoryBytes) : null,
                ReadBytes = last.Count > 0 ? last.Sum(reading => reading.ReadBytes) : null,
                WrittenBytes = last.Count > 0 ? last.Sum(reading => reading.WrittenBytes) : null,
            };
            var cost = owner.Prices.Of(target?.Size, new Charge
            {
                Wall = wall,
                Places = job.Slots,
                CpuSeconds = usage.CpuSeconds ?? 0,
                MemoryBytes = usage.PeakMemoryBytes ?? 0,
                GpuSeconds = wall.TotalSeconds * usage.Gpus,
            });
            return usage with { Cost = cost?.Amount, Currency = cost?.Currency };
        }

        public async ValueTask DisposeAsync()
        {
            await ended.CancelAsync();
            await sampling;
            ended.Dispose();
        }

        // By the records for tasks that had ended before anybody measured; else by a clock that nobody sets.
        private TimeSpan WallOf(IReadOnlyList<ExitRecord> records)
        {
            var measured = age + owner.Time.GetElapsedTime(begin);
            var recorded = records.Max(record => record.EndedAt) - records.Min(record => record.StartedAt);
            return recorded is { } known && known >= TimeSpan.Zero && known < measured ? known : measured;
        }

        private async Task SampleAsync(IReadOnlyList<TaskId> tasks)
        {
            if (owner.Options.MetricsInterval <= TimeSpan.Zero)
            {
                return;
            }

            ITaskMeter[] meters = [];
            var (before, at) = (0.0, 0L);
            for (var step = 0; ; step++)
            {
                await Task.Delay(owner.Options.MetricsInterval, owner.Time, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (ended.IsCancellationRequested)
                {
                    return;
                }

                meters = meters.Length > 0 ? meters : [.. tasks.Select(owner.Launcher.MeterOf).OfType<ITaskMeter>()];
                last = [.. meters.Select(meter => meter.Read())];
                var (cpu, now) = (last.Sum(reading => reading.CpuSeconds) ?? 0, owner.Time.GetTimestamp());
                var share = step == 0 ? (double?)null : Percent * (cpu - before) / owner.Time.GetElapsedTime(at, now).TotalSeconds / Environment.ProcessorCount;
                (before, at) = (cpu, now);
                await LogAsync(share, await owner.Gpus.ReadAsync(tasks, ended.Token), step);
            }
        }

        private async Task LogAsync(double? share, IReadOnlyList<GpuReading> gpus, int step)
        {
            if (last.Count == 0)
            {
                return;
            }

            var points = new List<RunMetric>();
            void Add(string name, double value) => points.Add(new RunMetric("system/" + name, Math.Round(value, 2), owner.Time.GetUtcNow(), step));
            if (share is { } percent)
            {
                Add("cpu_utilization_percentage", Math.Max(0, percent));
            }

            if (last.Sum(reading => reading.MemoryBytes) is { } memory and > 0)
            {
                Add("system_memory_usage_megabytes", memory / Megabyte);
                if (last.Sum(reading => reading.MemoryLimitBytes) is { } limit and > 0)
                {
                    Add("system_memory_usage_percentage", Percent * memory / limit);
                }
            }

            for (var i = 0; i < gpus.Count; i++)
            {
                foreach (var (name, value) in FiguresOf(gpus[i]))
                {
                    Add(string.Create(CultureInfo.InvariantCulture, $"gpu_{i}_{name}"), value);
                }
            }

            // The figures of a moment are not worth a failure: the next ones come.
            await owner.Metrics.LogAsync(job.Workspace, job.Name, points, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private static IEnumerable<(string Name, double Value)> FiguresOf(GpuReading gpu)
        {
            (string Name, double? Value)[] figures =
            [
                ("utilization_percentage", gpu.UtilizationPercent),
                ("memory_usage_megabytes", gpu.UsedBytes / Megabyte),
                ("memory_usage_percentage", Percent * gpu.UsedBytes / gpu.Bytes),
                ("power_usage_watts", gpu.PowerWatts),
                ("power_usage_percentage", Percent * gpu.PowerWatts / gpu.PowerLimitWatts),
            ];
            return figures.Where(figure => figure.Value is { } value && double.IsFinite(value)).Select(figure => (figure.Name, figure.Value!.Value));
        }
    }
}
