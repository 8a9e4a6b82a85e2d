using System.Globalization;
using System.Text.RegularExpressions;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>
/// The GPUs of this host, by what the NVIDIA driver shows. Who has which stands in the folders of the tasks (<c>gpu N</c> in <see cref="TaskFolder.Containment"/>),
/// so that a new server knows it of those that run.
/// </summary>
internal sealed partial class HostGpus(DataDirectory data, ComputeOptions options, GpuProgram program) : IGpus
{
    private const string Driver = "/proc/driver/nvidia/gpus";

    private readonly Lock gate = new();
    private readonly Lazy<IReadOnlyList<Gpu>> gpus = new(() => Known(options.Gpus));
    private Dictionary<int, HashSet<TaskId>>? holders;

    /// <summary>How many tasks may have.</summary>
    public int Count => gpus.Value.Count;

    public IReadOnlyList<int> Take(TaskId task, int count)
    {
        if (count == 0 || Count == 0)
        {
            return [];
        }

        lock (gate)
        {
            holders ??= Running();
            var own = Of(task);
            if (own.Length == 0)
            {
                own = [.. gpus.Value.Select(gpu => gpu.Number).OrderBy(number => holders.GetValueOrDefault(number)?.Count ?? 0).ThenBy(number => number).Take(count).Order()];
                foreach (var number in own)
                {
                    (holders.TryGetValue(number, out var tasks) ? tasks : holders[number] = []).Add(task);
                }
            }

            return own;
        }
    }

    public void Give(TaskId task)
    {
        if (Count == 0)
        {
            return;
        }

        lock (gate)
        {
            foreach (var tasks in (holders ??= Running()).Values)
            {
                tasks.Remove(task);
            }
        }
    }

    public async Task<IReadOnlyList<GpuReading>> ReadAsync(IReadOnlyList<TaskId> tasks, CancellationToken ct)
    {
        Gpu[] held;
        lock (gate)
        {
            held = Count == 0 ? [] : [.. gpus.Value.Where(gpu => (holders ??= Running()).GetValueOrDefault(gpu.Number) is { } by && by.Overlaps(tasks))];
        }

        if (held.Length == 0)
        {
            return [];
        }

        var readings = await program.ReadAsync(ct).ConfigureAwait(false);
        return [.. held.Select(gpu => gpu.Bus is null ? readings.ElementAtOrDefault(gpu.Number).Reading : readings.FirstOrDefault(one => one.Bus == gpu.Bus).Reading).OfType<GpuReading>()];
    }

    /// <summary>The device files of the driver that a task with these GPUs needs, of those in <paramref name="folder"/>: each GPU's, and what the driver shares.</summary>
    public static IReadOnlyList<string> Devices(IReadOnlyList<int> gpus, string folder = "/dev") => gpus.Count == 0 ? [] :
    [
        .. Directory.EnumerateFileSystemEntries(folder, "nvidia*")
            .Where(path => DeviceName().Match(Path.GetFileName(path)) is { Success: true } match
                && (!match.Groups["gpu"].Success || gpus.Contains(int.Parse(match.Groups["gpu"].ValueSpan, CultureInfo.InvariantCulture))))
            .Order(StringComparer.Ordinal),
    ];

    private int[] Of(TaskId task) => [.. holders!.Where(holder => holder.Value.Contains(task)).Select(holder => holder.Key).Order()];

    // The tasks that run, started by a server before this one.
    private Dictionary<int, HashSet<TaskId>> Running()
    {
        var found = new Dictionary<int, HashSet<TaskId>>();
        var tasks = data.Path("tasks");
        foreach (var attempt in Directory.Exists(tasks) ? Directory.EnumerateDirectories(tasks).SelectMany(Directory.EnumerateDirectories) : [])
        {
            var folder = new TaskFolder(attempt);
            var numbers = folder.ContainingAll("gpu");
            if (numbers.Count == 0 || !int.TryParse(Path.GetFileName(attempt), CultureInfo.InvariantCulture, out var number) || File.Exists(folder.Exit))
            {
                continue;
            }

            foreach (var gpu in numbers.Select(line => int.Parse(line, CultureInfo.InvariantCulture)))
            {
                (found.TryGetValue(gpu, out var by) ? by : found[gpu] = []).Add(new TaskId(Path.GetFileName(Path.GetDirectoryName(attempt))!, number));
            }
        }

        return found;
    }

    // The number of a GPU is that of its device file; the driver's program knows it by its place on the bus.
    private static IReadOnlyList<Gpu> Known(int? most)
    {
        Gpu[] shown = Directory.Exists(Driver)
            ? [.. Directory.GetDirectories(Driver).Select(folder => new Gpu(Minor(folder), GpuProgram.Bus(Path.GetFileName(folder)))).OrderBy(gpu => gpu.Number)]
            : [];
        return most is { } wanted && wanted > shown.Length ? [.. Enumerable.Range(0, wanted).Select(number => new Gpu(number, Bus: null))] : [.. shown.Take(most ?? shown.Length)];
    }

    private static int Minor(string folder) => File.ReadLines(Path.Combine(folder, "information"))
        .Select(line => MinorLine().Match(line)).FirstOrDefault(match => match.Success) is { } match ? int.Parse(match.Groups["minor"].ValueSpan, CultureInfo.InvariantCulture) : 0;

    private sealed record Gpu(int Number, string? Bus);

    [GeneratedRegex(@"^nvidia((?<gpu>[0-9]{1,4})|ctl|-uvm|-uvm-tools|-modeset|-caps)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex DeviceName();

    [GeneratedRegex(@"^Device Minor:\s*(?<minor>[0-9]{1,4})\s*\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MinorLine();
}
