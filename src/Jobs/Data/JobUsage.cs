using Dapper;
using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>What a job used; null where it was not measured.</summary>
internal sealed record JobUsage(TimeSpan Wall, int Slots, int Gpus)
{
    public double? CpuSeconds { get; init; }

    public long? PeakMemoryBytes { get; init; }

    public long? ReadBytes { get; init; }

    public long? WrittenBytes { get; init; }

    public decimal? Cost { get; init; }

    public string? Currency { get; init; }
}

/// <summary>What the jobs of a tree used together. Memory is the most that one of them used.</summary>
internal sealed class UsageTotals
{
    public long Jobs { get; init; }

    public double? Wall { get; init; }

    public double? SlotSeconds { get; init; }

    public double? GpuSeconds { get; init; }

    public double? Cpu { get; init; }

    public long? Peak { get; init; }

    public long? Read { get; init; }

    public long? Written { get; init; }

    public double? Cost { get; init; }

    public string? Currency { get; init; }

    /// <summary>Jobs of the tree that have begun and not ended: not counted yet.</summary>
    public long Running { get; init; }
}

/// <summary>The usage of jobs.</summary>
internal sealed class UsageTable(IDatabase database)
{
    private const string TotalsSql = """
        WITH RECURSIVE tree (key, status, started) AS (
            SELECT key, status, started FROM jobs WHERE key = @key
            UNION ALL SELECT below.key, below.status, below.started FROM tree JOIN jobs below ON below.parent = tree.key)
        SELECT COUNT(u.job) AS Jobs, SUM(u.wall) AS Wall, SUM(u.wall * u.slots) AS SlotSeconds, SUM(u.wall * u.gpus) AS GpuSeconds, SUM(u.cpu) AS Cpu,
            MAX(u.peak) AS Peak, SUM(u.read) AS Read, SUM(u.written) AS Written, SUM(u.cost) AS Cost, MAX(u.currency) AS Currency,
            SUM(tree.started IS NOT NULL AND tree.status NOT IN ('Completed', 'Failed', 'Canceled')) AS Running
        FROM tree LEFT JOIN job_usage u ON u.job = tree.key
        """;

    /// <summary>What a job and everything below it used.</summary>
    public Task<UsageTotals> TotalsAsync(ArmId job, CancellationToken ct) =>
        database.ReadAsync(connection => connection.QueryFirst<UsageTotals>(TotalsSql, new { key = job.Key }), ct);

    public static void Set(WriteScope scope, ArmId job, JobUsage usage) => scope.Execute(
        "INSERT OR REPLACE INTO job_usage (job, wall, slots, gpus, cpu, peak, read, written, cost, currency) VALUES (@job, @wall, @Slots, @Gpus, @CpuSeconds, @PeakMemoryBytes, @ReadBytes, @WrittenBytes, @cost, @Currency)",
        new { job = job.Key, wall = usage.Wall.TotalSeconds, usage.Slots, usage.Gpus, usage.CpuSeconds, usage.PeakMemoryBytes, usage.ReadBytes, usage.WrittenBytes, cost = (double?)usage.Cost, usage.Currency });
}
