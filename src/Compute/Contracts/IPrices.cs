namespace Zaffre.Compute;

/// <summary>What is to be paid for.</summary>
public sealed record Charge
{
    /// <summary>How long the places were taken.</summary>
    public required TimeSpan Wall { get; init; }

    /// <summary>Places of the compute.</summary>
    public required int Places { get; init; }

    /// <summary>Processor time of all processes.</summary>
    public double CpuSeconds { get; init; }

    /// <summary>The most memory in use at once.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>GPUs that were held, times how long.</summary>
    public double GpuSeconds { get; init; }
}

/// <summary>An amount of the operator's currency.</summary>
public sealed record Cost(decimal Amount, string Currency);

/// <summary>The operator's price table (<c>compute.yml</c>). Thread safe.</summary>
public interface IPrices
{
    /// <summary>What a charge on nodes of a size costs; null when there is no price table, or it cannot be read.</summary>
    Cost? Of(string? size, Charge charge);
}
