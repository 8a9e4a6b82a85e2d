using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace Zaffre.Gateway.Onnx;

/// <summary>One loaded model: a session, what it takes and gives, and the working memory of its requests. Thread safe.</summary>
internal sealed class OnnxModel : IDisposable
{
    private const double Quick = 300;
    private readonly ConcurrentBag<OnnxSlot> slots = [];
    private readonly nint session;
    private readonly nint inputNames;
    private readonly nint outputNames;
    private double micros = double.MaxValue;

    private OnnxModel(OrtApi ort, nint session, string name, string version)
    {
        (Ort, this.session, Name, Version) = (ort, session, name, version);
        Inputs = [.. Enumerable.Range(0, ort.CountInputs(session)).Select(i => ort.InputAt(session, i))];
        Outputs = [.. Enumerable.Range(0, ort.CountOutputs(session)).Select(i => ort.OutputAt(session, i))];
        InputNames = [.. Inputs.Select(i => i.Utf8)];
        inputNames = Names(Inputs);
        outputNames = Names(Outputs);
    }

    public OrtApi Ort { get; }

    public string Name { get; }

    public string Version { get; }

    public IReadOnlyList<ValueSpec> Inputs { get; }

    public IReadOnlyList<ValueSpec> Outputs { get; }

    /// <summary>The names of the inputs as UTF-8.</summary>
    public IReadOnlyList<byte[]> InputNames { get; }

    /// <summary>Names of the columns that make up its one input, as an MLflow signature gives them; null when columns count by position.</summary>
    public IReadOnlyList<byte[]>? Columns { get; init; }

    /// <summary>Joins requests into one run; null when each runs alone.</summary>
    public OnnxBatcher? Batcher { get; private set; }

    /// <summary>Its runs are short enough to take a thread of the server's; before the first is measured none is.</summary>
    public bool IsQuick => Volatile.Read(ref micros) < Quick;

    /// <summary>Loads a file. Throws <see cref="OrtException"/> with the library's message, or <see cref="InputException"/> when requests could not hold its inputs.</summary>
    public static OnnxModel Load(OrtApi ort, string path, (string Name, string Version) id, int threads, IReadOnlyList<string>? columns = null)
    {
        var model = new OnnxModel(ort, ort.CreateSession(path, threads), id.Name, id.Version)
        {
            Columns = columns is { Count: > 0 } ? [.. columns.Select(Encoding.UTF8.GetBytes)] : null,
        };
        if (model.Inputs.FirstOrDefault(i => i.Kind != ValueKind.Tensor || !i.Type.IsSupported()) is { } odd)
        {
            model.Dispose();
            throw new InputException($"Input '{odd.Name}' of the model is a {(odd.Kind == ValueKind.Tensor ? $"tensor of {odd.Type}" : odd.Kind)}; only tensors of numbers, truth values and texts can be sent.");
        }

        return model;
    }

    /// <summary>From now on requests of together so many rows are run at once; throws <see cref="InputException"/> when the model cannot be.</summary>
    public void Batch(int most, TimeSpan delay) =>
        Batcher = OnnxBatcher.Unfit(this) is { } unfit ? throw new InputException(unfit) : new OnnxBatcher(this, most, delay);

    public OnnxSlot Rent() => slots.TryTake(out var slot) ? slot : new OnnxSlot(this);

    public void Return(OnnxSlot slot)
    {
        slot.Clean();
        slots.Add(slot);
    }

    /// <summary>Runs on the calling thread.</summary>
    public void Run(nint options, nint[] inputs, nint[] outputs)
    {
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        Ort.Run(session, options, (inputNames, inputs), (outputNames, outputs));
        var took = System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalMicroseconds;
        var before = Volatile.Read(ref micros);
        Volatile.Write(ref micros, before == double.MaxValue ? took : (before * 0.9) + (took * 0.1));
    }

    public void Dispose()
    {
        while (slots.TryTake(out var slot))
        {
            slot.Dispose();
        }

        Ort.ReleaseSession(session);
        Free(inputNames, Inputs.Count);
        Free(outputNames, Outputs.Count);
    }

    private static nint Names(IReadOnlyList<ValueSpec> values)
    {
        var table = Marshal.AllocHGlobal(Math.Max(1, values.Count) * nint.Size);
        for (var i = 0; i < values.Count; i++)
        {
            Marshal.WriteIntPtr(table, i * nint.Size, Marshal.StringToCoTaskMemUTF8(values[i].Name));
        }

        return table;
    }

    private static void Free(nint table, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Marshal.FreeCoTaskMem(Marshal.ReadIntPtr(table, i * nint.Size));
        }

        Marshal.FreeHGlobal(table);
    }
}
