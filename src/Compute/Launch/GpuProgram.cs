using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Zaffre.Compute.Launch;

/// <summary>Asks the driver's program <c>nvidia-smi</c> what the host's GPUs do. One answer serves all who ask within a second.</summary>
internal sealed class GpuProgram(ComputeOptions options, TimeProvider time) : IDisposable
{
    private const double Mebibyte = 1 << 20;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim one = new(1);
    private IReadOnlyList<BusReading> last = [];
    private long? at;

    /// <summary>What every GPU of the host does, in the program's order; empty when it is missing, fails or takes too long.</summary>
    public async Task<IReadOnlyList<BusReading>> ReadAsync(CancellationToken ct)
    {
        try
        {
            await one.WaitAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return [];
        }

        try
        {
            if (at is not { } asked || time.GetElapsedTime(asked) > Fresh)
            {
                last = Parse(await AskAsync(ct).ConfigureAwait(false));
                at = time.GetTimestamp();
            }

            return last;
        }
        finally
        {
            one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => one.Dispose();

    /// <summary>A place on the bus in one spelling: the program writes eight digits of the domain, the driver's folders four.</summary>
    public static string Bus(string written) => written[(written.IndexOf(':', StringComparison.Ordinal) + 1)..].ToUpperInvariant();

    internal static IReadOnlyList<BusReading> Parse(string csv) =>
    [
        .. csv.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => line.Split(',', StringSplitOptions.TrimEntries)).Where(cells => cells.Length == 6)
            .Select(cells => new BusReading(Bus(cells[0]), new GpuReading(Value(cells[1]), Value(cells[2]) * Mebibyte, Value(cells[3]) * Mebibyte, Value(cells[4]), Value(cells[5])))),
    ];

    private static double? Value(string cell) => double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;

    private async Task<string> AskAsync(CancellationToken ct)
    {
        if ((options.GpuProgram ?? HostSandbox.Program("nvidia-smi")) is not { } path)
        {
            return "";
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        try
        {
            string[] arguments = ["--query-gpu=pci.bus_id,utilization.gpu,memory.used,memory.total,power.draw,power.limit", "--format=csv,noheader,nounits"];
            using var process = Process.Start(new ProcessStartInfo(path, arguments) { UseShellExecute = false, RedirectStandardOutput = true });
            try
            {
                return await process!.StandardOutput.ReadToEndAsync(limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                process!.Kill(entireProcessTree: true);
                return "";
            }
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            return "";
        }
    }
}

/// <summary>What the GPU at a place of the bus does.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct BusReading(string Bus, GpuReading Reading);
