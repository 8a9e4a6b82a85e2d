using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>
/// One input of a request: elements in memory that a run reads in place, kept from request to request. JSON values are written straight
/// into it. Not thread safe.
/// </summary>
internal sealed unsafe class TensorBuffer : IDisposable
{
    public const int MaxRank = 16;
    private readonly long[] shape = new long[MaxRank];
    private byte* data;
    private long capacity;
    private long[] texts = [];
    private long textEnd;
    private long rows;
    private string name = "";

    public ElementType Type { get; private set; }

    public int Rank { get; private set; }

    public ReadOnlySpan<long> Shape => shape.AsSpan(0, Rank);

    public long Count { get; private set; }

    /// <summary>Something was written since the last reset.</summary>
    public bool IsGiven { get; private set; }

    public void Reset(ValueSpec spec) => (Type, name, Count, Rank, textEnd, IsGiven) = (spec.Type, spec.Name, 0, 0, 0, false);

    public void SetShape(ReadOnlySpan<long> sizes)
    {
        sizes.CopyTo(shape);
        Rank = sizes.Length;
        IsGiven = true;
    }

    /// <summary>Makes room for so many elements; those that are there stay.</summary>
    public void Grow(long count)
    {
        if (Type != ElementType.Text)
        {
            Reserve(count * Type.Size());
        }
        else if (count > texts.Length)
        {
            Array.Resize(ref texts, (int)Math.Max(count, Math.Min(2L * texts.Length, Array.MaxLength)));
        }

        Count = Math.Max(Count, count);
    }

    /// <summary>Adds the scalar at which the reader stands.</summary>
    public void Append(ref Utf8JsonReader reader)
    {
        Grow(Count + 1);
        Set(Count - 1, ref reader);
    }

    /// <summary>Writes the scalar at which the reader stands over an element that <see cref="Grow"/> made.</summary>
    public void Set(long index, ref Utf8JsonReader reader)
    {
        switch (Type)
        {
            case ElementType.Float32:
                ((float*)data)[index] = (float)Real(ref reader);
                break;
            case ElementType.Float64:
                ((double*)data)[index] = Real(ref reader);
                break;
            case ElementType.Float16:
                ((Half*)data)[index] = (Half)Real(ref reader);
                break;
            case ElementType.BFloat16:
                ((ushort*)data)[index] = ToBFloat16((float)Real(ref reader));
                break;
            case ElementType.Int64:
                ((long*)data)[index] = Whole(ref reader, long.MinValue, long.MaxValue);
                break;
            case ElementType.Int32:
                ((int*)data)[index] = (int)Whole(ref reader, int.MinValue, int.MaxValue);
                break;
            case ElementType.Text:
                AddText(index, ref reader);
                break;
            default:
                SetSmall(index, ref reader);
                break;
        }
    }

    /// <summary>Takes over elements as they lie in memory: little endian, row by row. For texts four bytes of length before each.</summary>
    public void SetBytes(ReadOnlySpan<byte> bytes, ReadOnlySpan<long> sizes)
    {
        var count = 1L;
        foreach (var size in sizes)
        {
            count = checked(count * size);
        }

        if (Type == ElementType.Text)
        {
            SetTexts(bytes, count);
        }
        else if (bytes.Length != checked(count * Type.Size()))
        {
            throw new InputException($"tensor '{name}' needs {count * Type.Size()} bytes of data for its shape; {bytes.Length} were sent.");
        }
        else
        {
            Grow(count);
            bytes.CopyTo(new Span<byte>(data, bytes.Length));
        }

        SetShape(sizes);
    }

    /// <summary>Appends the rows of another tensor, whose other sizes are the same; not of texts.</summary>
    public void Join(TensorBuffer other)
    {
        var size = Type.Size();
        var before = Count;
        Grow(before + other.Count);
        new ReadOnlySpan<byte>(other.data, checked((int)(other.Count * size))).CopyTo(new Span<byte>(data + (before * size), checked((int)(other.Count * size))));
        other.Shape.CopyTo(shape.AsSpan());
        shape[0] = IsGiven ? rows + other.shape[0] : other.shape[0];
        rows = shape[0];
        Rank = other.Rank;
        IsGiven = true;
    }

    /// <summary>Keeps the columns (second axis) in <paramref name="order"/> only, in that order.</summary>
    public void SelectColumns(ReadOnlySpan<int> order)
    {
        var width = (int)shape[1];
        var block = shape[0] * width == 0 ? 0 : (int)(Count / (shape[0] * width));
        var size = Type == ElementType.Text ? sizeof(long) : Type.Size();
        var taken = new byte[checked((int)(shape[0] * order.Length * block * size))];
        fixed (long* offsets = texts)
        {
            var from = Type == ElementType.Text ? (byte*)offsets : data;
            var bytes = block * size;
            for (var row = 0L; row < shape[0]; row++)
            {
                for (var column = 0; column < order.Length; column++)
                {
                    new ReadOnlySpan<byte>(from + (((row * width) + order[column]) * bytes), bytes).CopyTo(taken.AsSpan((int)(((row * order.Length) + column) * bytes)));
                }
            }

            taken.CopyTo(new Span<byte>(from, taken.Length));
        }

        Count = shape[0] * order.Length * block;
        shape[1] = order.Length;
    }

    /// <summary>A value for a run; valid until this buffer is written again, released by the caller.</summary>
    public nint ToValue(OrtApi ort)
    {
        if (Type != ElementType.Text)
        {
            Reserve(1);
            return ort.CreateTensor(data, Count * Type.Size(), Shape, Type);
        }

        var pointers = new nint[(int)Count];
        for (var i = 0; i < pointers.Length; i++)
        {
            pointers[i] = (nint)(data + texts[i]);
        }

        return ort.CreateTextTensor(pointers, Shape);
    }

    /// <summary>Frees what a large request made it hold.</summary>
    public void Trim(long keep)
    {
        if (capacity > keep)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(data);
        data = null;
        capacity = 0;
        texts = [];
    }

    private static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private void SetSmall(long index, ref Utf8JsonReader reader)
    {
        switch (Type)
        {
            case ElementType.Boolean when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                data[index] = reader.TokenType == JsonTokenType.True ? (byte)1 : (byte)0;
                break;
            case ElementType.Int8:
                ((sbyte*)data)[index] = (sbyte)Whole(ref reader, sbyte.MinValue, sbyte.MaxValue);
                break;
            case ElementType.UInt8:
                data[index] = (byte)Whole(ref reader, 0, byte.MaxValue);
                break;
            case ElementType.Int16:
                ((short*)data)[index] = (short)Whole(ref reader, short.MinValue, short.MaxValue);
                break;
            case ElementType.UInt16:
                ((ushort*)data)[index] = (ushort)Whole(ref reader, 0, ushort.MaxValue);
                break;
            case ElementType.UInt32:
                ((uint*)data)[index] = (uint)Whole(ref reader, 0, uint.MaxValue);
                break;
            case ElementType.UInt64 when reader.TokenType == JsonTokenType.Number && reader.TryGetUInt64(out var large):
                ((ulong*)data)[index] = large;
                break;
            default:
                throw Unfit(ref reader);
        }
    }

    // A null, and a text that names it, is NaN: JSON has no form for what is no number.
    private double Real(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Number => reader.GetDouble(),
        JsonTokenType.Null => double.NaN,
        JsonTokenType.String when reader.ValueTextEquals("NaN"u8) => double.NaN,
        JsonTokenType.String when reader.ValueTextEquals("Infinity"u8) => double.PositiveInfinity,
        JsonTokenType.String when reader.ValueTextEquals("-Infinity"u8) => double.NegativeInfinity,
        _ => throw Unfit(ref reader),
    };

    private long Whole(ref Utf8JsonReader reader, long least, long most) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var value) && value >= least && value <= most ? value : throw Unfit(ref reader);

    private void AddText(long index, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw Unfit(ref reader);
        }

        Reserve(textEnd + reader.ValueSpan.Length + 1);
        var length = reader.CopyString(new Span<byte>(data + textEnd, (int)Math.Min(capacity - textEnd, int.MaxValue)));
        EndText(index, length);
    }

    private void SetTexts(ReadOnlySpan<byte> bytes, long count)
    {
        for (var i = 0L; i < count; i++)
        {
            if (bytes.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(bytes) is var length && length > bytes.Length - 4)
            {
                throw new InputException($"tensor '{name}' has {count} texts in its shape; its data ends before.");
            }

            Grow(i + 1);
            Reserve(textEnd + (int)length + 1);
            bytes.Slice(4, (int)length).CopyTo(new Span<byte>(data + textEnd, (int)length));
            EndText(i, (int)length);
            bytes = bytes[(4 + (int)length)..];
        }

        if (!bytes.IsEmpty)
        {
            throw new InputException($"tensor '{name}' has {count} texts in its shape; {bytes.Length} more bytes were sent.");
        }
    }

    private void EndText(long index, int length)
    {
        if (new ReadOnlySpan<byte>(data + textEnd, length).Contains((byte)0))
        {
            throw new InputException($"tensor '{name}' has a text with a zero in it, which the runtime cannot hold.");
        }

        texts[index] = textEnd;
        textEnd += length;
        data[textEnd++] = 0;
    }

    private InputException Unfit(ref Utf8JsonReader reader)
    {
        var sent = Encoding.UTF8.GetString(reader.ValueSpan);
        sent = reader.TokenType == JsonTokenType.String ? $"\"{sent}\"" : reader.TokenType == JsonTokenType.Null ? "null" : sent;
        return new InputException(string.Create(CultureInfo.InvariantCulture, $"tensor '{name}' must have the type {Type.Numpy()}; a value sent is {(sent.Length > 80 ? sent[..77] + "..." : sent)}."));
    }

    private void Reserve(long bytes)
    {
        if (bytes > capacity)
        {
            capacity = Math.Max(Math.Max(bytes, 2 * capacity), 256);
            data = (byte*)NativeMemory.AlignedRealloc(data, (nuint)capacity, 64);
        }
    }
}
