using System.Buffers;
using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>Everything that one request of a model needs, used again by the next one: tensors, options of the run, its timer, the answer's bytes.</summary>
internal sealed class OnnxSlot : IDisposable
{
    private const int KeepBytes = 4 << 20;
    private static readonly JsonWriterOptions Fast = new() { SkipValidation = true };
    private readonly nint[] given;
    private readonly nint[] taken;
    private readonly nint options;
    private CancellationTokenSource timer = new();
    private CancellationTokenRegistration alarm;
    private ArrayBufferWriter<byte> bytes = new(1024);

    public OnnxSlot(OnnxModel model)
    {
        Model = model;
        Inputs = [.. model.Inputs.Select(_ => new TensorBuffer())];
        given = new nint[Inputs.Count];
        taken = new nint[model.Outputs.Count];
        options = model.Ort.CreateRunOptions();
        Json = new Utf8JsonWriter(bytes, Fast);
        alarm = Arm();
        Reset();
    }

    public OnnxModel Model { get; }

    public IReadOnlyList<TensorBuffer> Inputs { get; }

    /// <summary>For each column that was sent its place in what is expected, or -1.</summary>
    public List<int> Order { get; } = [];

    /// <summary>The answer is written here.</summary>
    public Utf8JsonWriter Json { get; private set; }

    public ArrayBufferWriter<byte> Bytes => bytes;

    /// <summary>The values of the last run, in the order of the model's outputs.</summary>
    public ReadOnlySpan<nint> Outputs => taken;

    public bool HasTimedOut => timer.IsCancellationRequested;

    /// <summary>The status of a refusal.</summary>
    public int Status { get; set; } = 400;

    /// <summary>Throws away what was written of an answer.</summary>
    public void Restart()
    {
        bytes.ResetWrittenCount();
        Json.Reset(bytes);
    }

    /// <summary>Runs the model over <see cref="Inputs"/>; throws <see cref="OrtException"/>, also when the time was over.</summary>
    public void Run(int milliseconds)
    {
        var ort = Model.Ort;
        timer.CancelAfter(milliseconds);
        Release(taken);
        try
        {
            for (var i = 0; i < given.Length; i++)
            {
                given[i] = Inputs[i].ToValue(ort);
            }

            Model.Run(options, given, taken);
        }
        finally
        {
            Release(given);
        }
    }

    /// <summary>
    /// Takes its own rows of a run that was done for several, in place of a run; false when the outputs cannot be told apart. What it takes lies in the
    /// memory of <paramref name="together"/>: the answer is written before that is cleaned.
    /// </summary>
    public bool TakeRows(OnnxSlot together, (long First, long Count, long Total) rows)
    {
        Span<long> shape = stackalloc long[TensorBuffer.MaxRank];
        Release(taken);
        for (var i = 0; i < taken.Length; i++)
        {
            var (type, rank, count) = Model.Ort.Measure(together.taken[i], shape);
            if (rank == 0 || shape[0] != rows.Total)
            {
                Release(taken);
                return false;
            }

            shape[0] = rows.Count;
            taken[i] = Model.Ort.CreatePart(together.taken[i], (rows.First * (count / rows.Total), rows.Count * (count / rows.Total)), shape[..rank], type);
        }

        return true;
    }

    /// <summary>Makes the slot ready for another request.</summary>
    public void Clean()
    {
        Release(taken);
        if (!timer.TryReset())
        {
            // Waits for the alarm when it is just going off, so that it cannot end the next run.
            alarm.Dispose();
            timer.Dispose();
            timer = new CancellationTokenSource();
            Model.Ort.UnsetTerminate(options);
        }
        else
        {
            alarm.Dispose();
        }

        alarm = Arm();
        if (bytes.Capacity > KeepBytes)
        {
            bytes = new ArrayBufferWriter<byte>(1024);
        }
        else
        {
            bytes.ResetWrittenCount();
        }

        Json.Reset(bytes);
        Reset();
    }

    public void Dispose()
    {
        alarm.Dispose();
        timer.Dispose();
        Release(taken);
        Model.Ort.ReleaseRunOptions(options);
        Json.Dispose();
        foreach (var input in Inputs)
        {
            input.Dispose();
        }
    }

    private CancellationTokenRegistration Arm() =>
        timer.Token.UnsafeRegister(static slot => ((OnnxSlot)slot!).Model.Ort.SetTerminate(((OnnxSlot)slot!).options), this);

    private void Release(nint[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            Model.Ort.ReleaseValue(values[i]);
            values[i] = 0;
        }
    }

    private void Reset()
    {
        Order.Clear();
        for (var i = 0; i < Inputs.Count; i++)
        {
            Inputs[i].Trim(KeepBytes);
            Inputs[i].Reset(Model.Inputs[i]);
        }
    }
}
