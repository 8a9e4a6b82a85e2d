using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>What columns a model expects, and which of them were sent, in what order.</summary>
internal static class ColumnNames
{
    /// <summary>The columns by name: those of the signature, or one for each of several inputs; null when they count by position.</summary>
    public static IReadOnlyList<byte[]>? Expected(OnnxModel model) =>
        model.Columns ?? (model.Inputs.Count > 1 ? model.InputNames : null);

    /// <summary>Each expected column is an input of its own, not a part of the one tensor.</summary>
    public static bool AreInputs(OnnxModel model) => model.Inputs.Count > 1 || (model.Columns is [var only] && only.AsSpan().SequenceEqual(model.Inputs[0].Utf8));

    /// <summary>Reads a list of names into the slot's order; returns how many there are.</summary>
    public static int Read(ref Utf8JsonReader reader, OnnxSlot slot)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new InputException("'columns' must be a list of names.");
        }

        var expected = Expected(slot.Model);
        var count = 0;
        List<string>? extra = null;
        while (reader.Read() && reader.TokenType is JsonTokenType.String or JsonTokenType.Number)
        {
            var place = Find(ref reader, expected, count++);
            if (place >= 0 && slot.Order.Contains(place))
            {
                throw new InputException("'columns' names a column twice.");
            }

            slot.Order.Add(place);
            if (place < 0 && expected is not null)
            {
                (extra ??= []).Add(System.Text.Encoding.UTF8.GetString(reader.ValueSpan));
            }
        }

        if (reader.TokenType != JsonTokenType.EndArray)
        {
            throw new InputException("'columns' must be a list of names.");
        }

        CheckMissing(expected, slot.Order, extra);
        return count;
    }

    /// <summary>The place of the name at which the reader stands among what is expected, or -1. It is looked for at <paramref name="guess"/> first.</summary>
    public static int Find(ref Utf8JsonReader reader, IReadOnlyList<byte[]>? expected, int guess)
    {
        if (expected is null)
        {
            return -1;
        }

        if (guess < expected.Count && Is(ref reader, expected[guess]))
        {
            return guess;
        }

        for (var i = 0; i < expected.Count; i++)
        {
            if (Is(ref reader, expected[i]))
            {
                return i;
            }
        }

        return -1;
    }

    public static void CheckMissing(IReadOnlyList<byte[]>? expected, List<int> order, List<string>? extra)
    {
        var known = 0;
        foreach (var place in order)
        {
            known += place >= 0 ? 1 : 0;
        }

        if (expected is null || known >= expected.Count)
        {
            return;
        }

        var missing = Enumerable.Range(0, expected.Count).Where(i => !order.Contains(i)).Take(20).Select(i => PayloadReader.Told(expected[i]));
        throw Missing(missing, extra);
    }

    public static InputException Missing(IEnumerable<string> missing, IReadOnlyList<string>? extra)
    {
        var note = extra is { Count: > 0 } ? $" Note that there were extra inputs: [{string.Join(", ", extra.Take(20).Select(e => $"'{e}'"))}]." : "";
        return new InputException($"Model is missing inputs [{string.Join(", ", missing)}].{note}");
    }

    private static bool Is(ref Utf8JsonReader reader, byte[] name) =>
        reader.TokenType == JsonTokenType.Number ? reader.ValueSpan.SequenceEqual(name) : reader.ValueTextEquals(name);
}
