using Zaffre.Compute.Operator;

namespace Zaffre.Compute.Computes;

/// <inheritdoc cref="IPrices"/>
internal sealed class Prices(ComputeFile file, ComputeSizes sizes) : IPrices
{
    private const decimal SecondsPerHour = 3600;
    private const decimal Gigabyte = 1 << 30;

    /// <inheritdoc/>
    public Cost? Of(string? size, Charge charge)
    {
        ArgumentNullException.ThrowIfNull(charge);
        if (!file.Read().TryGet(out var said, out _) || said.Prices is not { } prices)
        {
            return null;
        }

        var hours = (decimal)charge.Wall.TotalSeconds / SecondsPerHour;
        var node = sizes.Find(size).TryGet(out var found, out _) ? found.Hour : 0;
        var amount = (hours * charge.Places * node)
            + ((decimal)charge.CpuSeconds / SecondsPerHour * prices.CpuHour)
            + (hours * charge.MemoryBytes / Gigabyte * prices.MemoryGbHour)
            + ((decimal)charge.GpuSeconds / SecondsPerHour * prices.GpuHour);
        return new Cost(Math.Round(amount, 6), prices.Currency);
    }
}
