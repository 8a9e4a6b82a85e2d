using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>Reads nested JSON lists into a tensor; the nesting gives its shape.</summary>
internal static class NestedReader
{
    /// <summary>Reads the whole value at which the reader stands. A bare scalar counts as a list of one.</summary>
    public static void Read(ref Utf8JsonReader reader, TensorBuffer into, string name)
    {
        Span<long> sizes = stackalloc long[TensorBuffer.MaxRank];
        var rank = Append(ref reader, into, sizes, name);
        if (rank == 0)
        {
            (sizes[0], rank) = (1, 1);
        }

        into.SetShape(sizes[..rank]);
    }

    /// <summary>Appends the value at which the reader stands, a scalar or nested lists; its sizes are written and its rank returned.</summary>
    public static int Append(ref Utf8JsonReader reader, TensorBuffer into, scoped Span<long> sizes, string name)
    {
        Span<long> counts = stackalloc long[TensorBuffer.MaxRank];
        sizes.Fill(-1);
        var (depth, deepest, rank) = (0, 0, -1);
        while (true)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray:
                    if (depth == TensorBuffer.MaxRank || (rank >= 0 && depth >= rank))
                    {
                        throw Ragged(name);
                    }

                    counts[depth++] = 0;
                    deepest = Math.Max(deepest, depth);
                    break;
                case JsonTokenType.EndArray:
                    depth--;
                    Close(sizes, counts, depth, name);
                    break;
                case JsonTokenType.StartObject:
                    throw new InputException($"tensor '{name}' must be nested lists; an object was sent in it.");
                default:
                    rank = rank < 0 ? depth : rank == depth ? rank : throw Ragged(name);
                    into.Append(ref reader);
                    if (depth > 0)
                    {
                        counts[depth - 1]++;
                    }

                    break;
            }

            if (depth == 0)
            {
                return rank < 0 || rank == deepest ? deepest : throw Ragged(name);
            }

            reader.Read();
        }
    }

    private static void Close(Span<long> sizes, Span<long> counts, int depth, string name)
    {
        if (sizes[depth] >= 0 && sizes[depth] != counts[depth])
        {
            throw Ragged(name);
        }

        sizes[depth] = counts[depth];
        if (depth > 0)
        {
            counts[depth - 1]++;
        }
    }

    private static InputException Ragged(string name) => new($"tensor '{name}' is not rectangular: its lists have different lengths or depths.");
}
