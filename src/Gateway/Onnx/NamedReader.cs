using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>An object of named values: tensors by the names of the inputs, or columns of the one tensor by the names of the signature.</summary>
internal static class NamedReader
{
    public static void Read(ref Utf8JsonReader reader, OnnxSlot slot)
    {
        var model = slot.Model;
        var asColumns = model.Columns is not null && !ColumnNames.AreInputs(model);
        var expected = asColumns ? model.Columns! : model.InputNames;
        List<string>? extra = null;
        var rows = -1L;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var place = ColumnNames.Find(ref reader, expected, slot.Order.Count);
            if (place >= 0 && slot.Order.Contains(place))
            {
                throw new InputException($"{PayloadReader.Told(expected[place])} is given twice.");
            }

            slot.Order.Add(place);
            if (place < 0)
            {
                (extra ??= []).Add(reader.GetString()!);
                reader.Skip();
                continue;
            }

            reader.Read();
            if (asColumns)
            {
                rows = ReadColumn(ref reader, slot.Inputs[0], (place, expected.Count), rows);
            }
            else
            {
                NestedReader.Read(ref reader, slot.Inputs[place], model.Inputs[place].Name);
            }
        }

        ColumnNames.CheckMissing(expected, slot.Order, extra);
        if (asColumns)
        {
            slot.Inputs[0].SetShape([Math.Max(0, rows), expected.Count]);
        }

        Fitting.Check(slot, table: model.Columns is not null);
    }

    private static long ReadColumn(ref Utf8JsonReader reader, TensorBuffer tensor, (int Place, int Width) column, long rows)
    {
        var row = 0L;
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                tensor.Grow((row + 1) * column.Width);
                tensor.Set((row++ * column.Width) + column.Place, ref reader);
            }
        }
        else
        {
            tensor.Grow(column.Width);
            tensor.Set(column.Place, ref reader);
            row = 1;
        }

        return rows < 0 || rows == row ? row : throw new InputException($"The columns have different lengths: {rows} and {row}.");
    }
}
