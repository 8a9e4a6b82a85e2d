using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>A list of objects, one a row: each member is an input by its name, or a column of the one tensor.</summary>
internal static class RecordReader
{
    public static void Read(ref Utf8JsonReader reader, OnnxSlot slot)
    {
        var model = slot.Model;
        if (model.Inputs.Count > 1 || ColumnNames.AreInputs(model) || (model.Columns is null && Names(reader, model.Inputs[0])))
        {
            ReadInputs(ref reader, slot);
        }
        else
        {
            ReadColumns(ref reader, slot, model.Columns ?? NamesOf(reader));
        }

        Fitting.Check(slot, table: true);
    }

    private static void ReadInputs(ref Utf8JsonReader reader, OnnxSlot slot)
    {
        var cells = new CellShapes(slot);
        var expected = slot.Model.InputNames;
        var rows = 0;
        while (Next(ref reader, rows))
        {
            slot.Order.Clear();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var place = ColumnNames.Find(ref reader, expected, slot.Order.Count);
                Take(slot, place, rows);
                reader.Read();
                if (place < 0)
                {
                    reader.Skip();
                }
                else
                {
                    cells.Append(ref reader, place);
                }
            }

            ColumnNames.CheckMissing(expected, slot.Order, null);
            rows++;
        }

        cells.Finish(rows);
    }

    private static void ReadColumns(ref Utf8JsonReader reader, OnnxSlot slot, IReadOnlyList<byte[]> expected)
    {
        var tensor = slot.Inputs[0];
        var rows = 0;
        while (Next(ref reader, rows))
        {
            slot.Order.Clear();
            tensor.Grow((rows + 1L) * expected.Count);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var place = ColumnNames.Find(ref reader, expected, slot.Order.Count);
                Take(slot, place, rows);
                reader.Read();
                if (place < 0)
                {
                    reader.Skip();
                }
                else
                {
                    tensor.Set(((long)rows * expected.Count) + place, ref reader);
                }
            }

            ColumnNames.CheckMissing(expected, slot.Order, null);
            rows++;
        }

        tensor.SetShape([rows, expected.Count]);
    }

    private static void Take(OnnxSlot slot, int place, int row)
    {
        if (place >= 0 && slot.Order.Contains(place))
        {
            throw new InputException($"Row {row} names a column twice.");
        }

        slot.Order.Add(place);
    }

    private static bool Next(ref Utf8JsonReader reader, int row)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.StartObject || (reader.TokenType == JsonTokenType.EndArray ? false : throw new InputException($"Row {row} must be an object, as the first one is."));
    }

    private static bool Names(Utf8JsonReader reader, ValueSpec input)
    {
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals(input.Utf8))
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    // Without a signature the first row says what columns there are.
    private static List<byte[]> NamesOf(Utf8JsonReader reader)
    {
        var names = new List<byte[]>();
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            names.Add(System.Text.Encoding.UTF8.GetBytes(reader.GetString()!));
            reader.Skip();
        }

        return names;
    }
}
