namespace Zaffre.Jobs;

/// <summary>How jobs are run.</summary>
public sealed record JobOptions
{
    /// <summary>The certificates that a job trusts, ours among them: a PEM file of the host; <c>tls/ca-bundle.pem</c> of the data directory when null.</summary>
    public string? CertificateBundle { get; init; }

    /// <summary>How long a job that is stopped may take to end after SIGTERM before everything of it is killed.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a job is tried whose command could not begin for a reason that may pass; once its command began, a job is never tried again.</summary>
    public int Tries { get; init; } = 3;

    /// <summary>The pause before the second try; it doubles with each further one.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the processor and memory use of a running job is logged as its run's system metrics; zero: never.</summary>
    public TimeSpan MetricsInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Preparing that lasts longer is shown as status <c>Preparing</c>; shorter is not worth a write.</summary>
    public TimeSpan PreparingShownAfter { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Bytes of the data directory's disk that are kept free for the server: below them the running job that writes most is ended. Null: 2 % of the disk, at most
    /// 1 GiB; zero: nothing is watched.
    /// </summary>
    public long? DiskReserve { get; init; }

    /// <summary>How often the free space is looked at while jobs run.</summary>
    public TimeSpan DiskInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Publishing outputs that lasts longer is shown as status <c>Finalizing</c>; shorter is not worth a write.</summary>
    public TimeSpan FinalizingShownAfter { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Most steps that one pipeline comes to while it runs, the iterations of its loops included; a loop that would make more fails.</summary>
    public int MostSteps { get; init; } = 20_000;
}
