namespace Zaffre.Compute;

/// <summary>How this server runs tasks. Zero configuration works.</summary>
public sealed record ComputeOptions
{
    /// <summary>User and group number that tasks get when the server is root. Needs no entry in <c>/etc/passwd</c>; must own nothing else on this host.</summary>
    public uint TaskUser { get; init; } = 64200;

    /// <summary>Whether only this host can reach the server. Without bubblewrap, tasks run only while this holds and one principal exists.</summary>
    public bool LoopbackOnly { get; init; } = true;

    /// <summary>Tasks at once on this host over all computes; null: four for each core, at least eight.</summary>
    public int? Slots { get; init; }

    /// <summary>GPUs of this host that tasks may have; null: as many as the NVIDIA driver shows.</summary>
    public int? Gpus { get; init; }

    /// <summary>The program that tells what GPUs do; null: <c>nvidia-smi</c> of the system's folders.</summary>
    public string? GpuProgram { get; init; }

    /// <summary>Largest https input, in bytes.</summary>
    public long RemoteInputBytes { get; init; } = 10L << 30;

    /// <summary>Longest time for fetching one https input.</summary>
    public TimeSpan RemoteInputTime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Longest time for building one virtual environment.</summary>
    public TimeSpan EnvironmentBuildTime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a build that failed is taken as failed before another one is tried.</summary>
    public TimeSpan EnvironmentRetryAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often a build tries to install when the way to the index fails: a connection that breaks, is refused or too slow, or a 5xx.</summary>
    public int EnvironmentTries { get; init; } = 3;

    /// <summary>The pause before the second of these tries; it doubles with each further one.</summary>
    public TimeSpan EnvironmentRetryPause { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Lets https inputs come from private and loopback addresses; never from metadata or link-local ones.</summary>
    public bool AllowPrivateInputs { get; init; }
}
