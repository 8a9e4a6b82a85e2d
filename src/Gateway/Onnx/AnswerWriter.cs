using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>What a run gave back, as JSON: an object of outputs, each nested lists. What is no number is null.</summary>
internal static class AnswerWriter
{
    /// <summary>Writes the outputs of the slot's last run, on MLflow's own route within its object of predictions.</summary>
    public static void Write(OnnxSlot slot, bool invocations)
    {
        var json = slot.Json;
        json.WriteStartObject();
        if (invocations)
        {
            json.WriteStartObject("predictions"u8);
        }

        for (var i = 0; i < slot.Outputs.Length; i++)
        {
            json.WritePropertyName(slot.Model.Outputs[i].Utf8);
            WriteValue(json, slot.Model.Ort, slot.Outputs[i]);
        }

        if (invocations)
        {
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
    }

    private static void WriteValue(Utf8JsonWriter json, OrtApi ort, nint value)
    {
        switch (value == 0 ? ValueKind.Unknown : ort.KindOf(value))
        {
            case ValueKind.Tensor:
                WriteTensor(json, ort, value);
                break;
            case ValueKind.Sequence:
                json.WriteStartArray();
                for (var i = 0; i < ort.CountParts(value); i++)
                {
                    WithPart(ort, value, i, part => WriteValue(json, ort, part));
                }

                json.WriteEndArray();
                break;
            case ValueKind.Map:
                WithPart(ort, value, 0, keys => WithPart(ort, value, 1, values => WriteMap(json, ort, keys, values)));
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    private static void WithPart(OrtApi ort, nint value, int index, Action<nint> use)
    {
        var part = ort.PartAt(value, index);
        try
        {
            use(part);
        }
        finally
        {
            ort.ReleaseValue(part);
        }
    }

    private static void WriteTensor(Utf8JsonWriter json, OrtApi ort, nint value)
    {
        Span<long> shape = stackalloc long[TensorBuffer.MaxRank];
        var (type, rank, _) = ort.Measure(value, shape);
        var elements = new Elements(ort, value, type);
        if (rank == 0)
        {
            elements.Write(json, 0);
            return;
        }

        var next = 0L;
        WriteNested(json, elements, shape[..rank], ref next);
    }

    private static void WriteNested(Utf8JsonWriter json, in Elements elements, scoped ReadOnlySpan<long> shape, ref long next)
    {
        json.WriteStartArray();
        for (var i = 0L; i < shape[0]; i++)
        {
            if (shape.Length == 1)
            {
                elements.Write(json, next++);
            }
            else
            {
                WriteNested(json, elements, shape[1..], ref next);
            }
        }

        json.WriteEndArray();
    }

    private static void WriteMap(Utf8JsonWriter json, OrtApi ort, nint keys, nint values)
    {
        Span<long> shape = stackalloc long[TensorBuffer.MaxRank];
        var (keyType, _, count) = ort.Measure(keys, shape);
        var (type, _, _) = ort.Measure(values, shape);
        var names = new Elements(ort, keys, keyType);
        var elements = new Elements(ort, values, type);
        json.WriteStartObject();
        for (var i = 0L; i < count; i++)
        {
            json.WritePropertyName(names.Name(i));
            elements.Write(json, i);
        }

        json.WriteEndObject();
    }
}
