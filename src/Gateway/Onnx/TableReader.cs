using System.Runtime.InteropServices;
using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>Rows of a table: all columns into the one tensor of a model, or each into an input of its own.</summary>
internal static class TableReader
{
    /// <summary>Reads the list of rows at which the reader stands. <paramref name="sent"/> is the number of named columns, whose order the slot holds; null without names.</summary>
    public static void Read(ref Utf8JsonReader reader, OnnxSlot slot, int? sent, bool table)
    {
        var model = slot.Model;
        if (model.Inputs.Count > 1)
        {
            ReadRows(ref reader, slot, sent);
        }
        else
        {
            var tensor = slot.Inputs[0];
            NestedReader.Read(ref reader, tensor, model.Inputs[0].Name);
            if (sent is { } width && tensor.Rank >= 2 && tensor.Shape[0] > 0 && tensor.Shape[1] != width)
            {
                throw new InputException($"Rows of 'data' have {tensor.Shape[1]} values for {width} columns.");
            }

            if (sent is not null && model.Columns is { } columns && tensor.Rank >= 2 && tensor.Shape[0] > 0)
            {
                Arrange(tensor, slot, columns.Count);
            }
            else if (model.Columns is { } positions && tensor.Rank == 2 && tensor.Shape[0] > 0 && tensor.Shape[1] != positions.Count)
            {
                throw new InputException($"The model takes {positions.Count} columns; rows without names must have as many values, and these have {tensor.Shape[1]}.");
            }
        }

        Fitting.Check(slot, table);
    }

    private static void Arrange(TensorBuffer tensor, OnnxSlot slot, int expected)
    {
        Span<int> order = expected <= 256 ? stackalloc int[expected] : new int[expected];
        var same = slot.Order.Count == expected;
        foreach (var (column, place) in slot.Order.Index())
        {
            same &= column == place;
            if (place >= 0)
            {
                order[place] = column;
            }
        }

        if (!same)
        {
            tensor.SelectColumns(order);
        }
    }

    private static void ReadRows(ref Utf8JsonReader reader, OnnxSlot slot, int? sent)
    {
        var width = sent ?? slot.Inputs.Count;
        var cells = new CellShapes(slot);
        var rows = 0L;
        while (reader.Read() && reader.TokenType == JsonTokenType.StartArray)
        {
            var column = 0;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                var place = sent is null ? column : column < width ? slot.Order[column] : -1;
                if (column++ >= width || place < 0)
                {
                    reader.Skip();
                }
                else
                {
                    cells.Append(ref reader, place);
                }
            }

            if (column != width)
            {
                throw new InputException($"'data[{rows}]' has {column} values for {width} columns.");
            }

            rows++;
        }

        if (reader.TokenType != JsonTokenType.EndArray)
        {
            throw new InputException($"'data[{rows}]' must be a list of values.");
        }

        cells.Finish(rows);
    }
}

/// <summary>Fills inputs cell by cell, one cell of each a row; the cells of an input must all have the same shape.</summary>
internal sealed class CellShapes(OnnxSlot slot)
{
    private readonly long[]?[] shapes = new long[slot.Inputs.Count][];

    public void Append(ref Utf8JsonReader reader, int input)
    {
        Span<long> sizes = stackalloc long[TensorBuffer.MaxRank];
        var rank = NestedReader.Append(ref reader, slot.Inputs[input], sizes, slot.Model.Inputs[input].Name);
        if (shapes[input] is not { } first)
        {
            shapes[input] = sizes[..rank].ToArray();
        }
        else if (!sizes[..rank].SequenceEqual(first))
        {
            throw new InputException($"The cells of column '{slot.Model.Inputs[input].Name}' have different shapes.");
        }
    }

    public void Finish(long rows)
    {
        for (var i = 0; i < shapes.Length; i++)
        {
            slot.Inputs[i].SetShape([rows, .. shapes[i] ?? []]);
        }
    }
}
