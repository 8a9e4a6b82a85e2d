using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>Compares what was sent with the shapes that the model states.</summary>
internal static class Fitting
{
    /// <summary>Every input is there and has its shape; throws otherwise. A column of a table may gain or lose an axis of one.</summary>
    public static void Check(OnnxSlot slot, bool table)
    {
        for (var i = 0; i < slot.Inputs.Count; i++)
        {
            Check(slot.Inputs[i], slot.Model.Inputs[i], table);
        }
    }

    public static void Check(TensorBuffer tensor, ValueSpec spec, bool table)
    {
        if (!tensor.IsGiven)
        {
            throw ColumnNames.Missing([$"'{spec.Name}'"], null);
        }

        // A model that states no shape takes any.
        if (spec.Shape.Count == 0 || Fits(tensor.Shape, spec.Shape))
        {
            return;
        }

        if (table && tensor.Rank == spec.Shape.Count + 1 && tensor.Shape[1] == 1)
        {
            tensor.SetShape([tensor.Shape[0], .. tensor.Shape[2..]]);
        }
        else if (table && tensor.Rank + 1 == spec.Shape.Count)
        {
            tensor.SetShape([.. tensor.Shape, 1]);
        }

        if (!Fits(tensor.Shape, spec.Shape))
        {
            throw new InputException($"tensor '{spec.Name}' must have the shape ({Told(spec.Shape)}); the one sent has ({Told(tensor.Shape.ToArray())}).");
        }
    }

    /// <summary>What the model expects, in MLflow's form of a signature.</summary>
    public static void WriteExpected(Utf8JsonWriter json, OnnxModel model)
    {
        json.WriteStartObject("expected_signature"u8);
        json.WriteStartArray("inputs"u8);
        foreach (var input in model.Inputs)
        {
            WriteTensor(json, input);
        }

        json.WriteEndArray();
        if (model.Columns is { } columns)
        {
            json.WriteStartArray("columns"u8);
            foreach (var column in columns)
            {
                json.WriteStringValue(column);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteTensor(Utf8JsonWriter json, ValueSpec input)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, input.Name);
        json.WriteString("type"u8, "tensor"u8);
        json.WriteStartObject("tensor-spec"u8);
        json.WriteString("dtype"u8, input.Type.Numpy());
        json.WriteStartArray("shape"u8);
        foreach (var size in input.Shape)
        {
            json.WriteNumberValue(size);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static bool Fits(ReadOnlySpan<long> sent, IReadOnlyList<long> wanted)
    {
        if (sent.Length != wanted.Count)
        {
            return false;
        }

        for (var i = 0; i < sent.Length; i++)
        {
            if (wanted[i] >= 0 && wanted[i] != sent[i])
            {
                return false;
            }
        }

        return true;
    }

    private static string Told(IEnumerable<long> shape) => string.Join(", ", shape);
}
