using System.Text.Json;
using Zaffre.Gateway.Onnx;

namespace Zaffre.Gateway.Inference;

/// <summary>One input tensor of a request: name, datatype, shape, and its elements in the JSON or after it.</summary>
internal static class InferInput
{
    /// <summary>Reads the object at which the reader stands into the slot; its bytes, if any, are taken from <paramref name="rest"/>.</summary>
    public static void Read(ref Utf8JsonReader reader, scoped ref ReadOnlySpan<byte> rest, OnnxSlot slot)
    {
        string? name = null, datatype = null;
        long? bytes = null;
        Span<long> sizes = stackalloc long[TensorBuffer.MaxRank];
        var rank = -1;
        Utf8JsonReader data = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8))
            {
                name = Text(ref reader, "name");
            }
            else if (reader.ValueTextEquals("datatype"u8))
            {
                datatype = Text(ref reader, "datatype");
            }
            else if (reader.ValueTextEquals("shape"u8))
            {
                rank = ReadShape(ref reader, sizes);
            }
            else if (reader.ValueTextEquals("parameters"u8))
            {
                reader.Read();
                InferParameters.Read(ref reader, out bytes, out _);
            }
            else if (reader.ValueTextEquals("data"u8))
            {
                reader.Read();
                data = reader;
                reader.Skip();
            }
            else
            {
                reader.Skip();
            }
        }

        var index = slot.Model.Inputs.Index().FirstOrDefault(i => i.Item.Name == name, (-1, null!)).Index;
        if (index < 0)
        {
            throw new InputException($"model '{slot.Model.Name}' has no input '{name}'; it takes {string.Join(", ", slot.Model.Inputs.Select(i => i.Name))}.");
        }

        Check(slot, index, datatype, rank);
        if (bytes is { } length)
        {
            slot.Inputs[index].SetBytes(Take(ref rest, length, name!), sizes[..rank]);
        }
        else
        {
            Fill(ref data, slot.Inputs[index], name!, sizes[..rank]);
        }
    }

    private static void Check(OnnxSlot slot, int index, string? datatype, int rank)
    {
        var spec = slot.Model.Inputs[index];
        if (datatype != spec.Type.Protocol())
        {
            throw new InputException($"input '{spec.Name}' of model '{slot.Model.Name}' has the datatype {spec.Type.Protocol()}; {datatype ?? "none"} was sent.");
        }

        if (rank < 0)
        {
            throw new InputException($"input '{spec.Name}' has no 'shape'.");
        }

        if (slot.Inputs[index].IsGiven)
        {
            throw new InputException($"input '{spec.Name}' is given twice.");
        }
    }

    private static void Fill(ref Utf8JsonReader data, TensorBuffer tensor, string name, scoped ReadOnlySpan<long> shape)
    {
        if (data.TokenType != JsonTokenType.StartArray)
        {
            throw new InputException($"input '{name}' has neither 'data' (a list) nor the parameter 'binary_data_size'.");
        }

        Span<long> nested = stackalloc long[TensorBuffer.MaxRank];
        NestedReader.Append(ref data, tensor, nested, name);
        var count = 1L;
        foreach (var size in shape)
        {
            count = checked(count * size);
        }

        if (tensor.Count != count)
        {
            throw new InputException($"input '{name}' needs {count} elements for its shape ({string.Join(", ", shape.ToArray())}); {tensor.Count} were sent.");
        }

        tensor.SetShape(shape);
    }

    private static ReadOnlySpan<byte> Take(scoped ref ReadOnlySpan<byte> rest, long length, string name)
    {
        if (length < 0 || length > rest.Length)
        {
            throw new InputException($"input '{name}' announces {length} bytes; {rest.Length} follow the JSON.");
        }

        var taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }

    private static string Text(ref Utf8JsonReader reader, string member)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw new InputException($"'{member}' of an input must be a string.");
    }

    private static int ReadShape(ref Utf8JsonReader reader, scoped Span<long> sizes)
    {
        reader.Read();
        var rank = 0;
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.Number && rank < sizes.Length && reader.TryGetInt64(out var size) && size is >= 0 and <= int.MaxValue)
            {
                sizes[rank++] = size;
            }
        }

        return reader.TokenType == JsonTokenType.EndArray ? rank : throw new InputException($"'shape' must be a list of at most {TensorBuffer.MaxRank} whole numbers, none negative.");
    }
}
