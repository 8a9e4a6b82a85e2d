using System.Buffers;
using System.Buffers.Binary;
using Zaffre.Gateway.Onnx;

namespace Zaffre.Gateway.Inference;

/// <summary>The answer to an inference request: JSON, with flat elements in it or as bytes after it.</summary>
internal static class InferAnswer
{
    public static void Write(OnnxSlot slot, IReadOnlyList<(int Output, bool Binary)> wanted, string? id)
    {
        var json = slot.Json;
        json.WriteStartObject();
        if (id is not null)
        {
            json.WriteString("id"u8, id);
        }

        json.WriteString("model_name"u8, slot.Model.Name);
        json.WriteString("model_version"u8, slot.Model.Version);
        json.WriteStartArray("outputs"u8);
        foreach (var (output, binary) in wanted)
        {
            WriteOutput(slot, output, binary);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
    }

    /// <summary>Appends the elements of an output as they lie in memory; before each text four bytes of its length.</summary>
    public static void WriteBytes(OnnxSlot slot, int output)
    {
        Span<long> shape = stackalloc long[TensorBuffer.MaxRank];
        var (type, _, count) = slot.Model.Ort.Measure(slot.Outputs[output], shape);
        var elements = new Elements(slot.Model.Ort, slot.Outputs[output], type);
        if (type != ElementType.Text)
        {
            slot.Bytes.Write(elements.Raw(count));
            return;
        }

        for (var i = 0L; i < count; i++)
        {
            var text = elements.Text(i);
            BinaryPrimitives.WriteInt32LittleEndian(slot.Bytes.GetSpan(4), text.Length);
            slot.Bytes.Advance(4);
            slot.Bytes.Write(text);
        }
    }

    private static void WriteOutput(OnnxSlot slot, int output, bool binary)
    {
        var json = slot.Json;
        Span<long> shape = stackalloc long[TensorBuffer.MaxRank];
        var (type, rank, count) = slot.Model.Ort.Measure(slot.Outputs[output], shape);
        var elements = new Elements(slot.Model.Ort, slot.Outputs[output], type);
        json.WriteStartObject();
        json.WriteString("name"u8, slot.Model.Outputs[output].Utf8);
        json.WriteString("datatype"u8, type.Protocol());
        json.WriteStartArray("shape"u8);
        foreach (var size in shape[..rank])
        {
            json.WriteNumberValue(size);
        }

        json.WriteEndArray();
        if (binary)
        {
            json.WriteStartObject("parameters"u8);
            json.WriteNumber("binary_data_size"u8, Size(elements, type, count));
            json.WriteEndObject();
        }
        else
        {
            json.WriteStartArray("data"u8);
            for (var i = 0L; i < count; i++)
            {
                elements.Write(json, i);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static long Size(in Elements elements, ElementType type, long count)
    {
        if (type != ElementType.Text)
        {
            return count * type.Size();
        }

        var bytes = 0L;
        for (var i = 0L; i < count; i++)
        {
            bytes += 4 + elements.Text(i).Length;
        }

        return bytes;
    }
}
