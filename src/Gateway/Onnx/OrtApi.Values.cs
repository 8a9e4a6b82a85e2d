namespace Zaffre.Gateway.Onnx;

/// <summary>Values: tensors over memory of the caller's, tensors of text, and what a run gave back.</summary>
internal sealed unsafe partial class OrtApi
{
    /// <summary>A tensor over memory that the caller keeps until the value is released.</summary>
    public nint CreateTensor(void* data, long bytes, ReadOnlySpan<long> shape, ElementType type)
    {
        nint value;
        fixed (long* sizes = shape)
        {
            Check(((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)table[49])(
                Memory, data, (nuint)bytes, sizes, (nuint)shape.Length, (int)type, &value));
        }

        return value;
    }

    /// <summary>A tensor over some elements of another, which must live as long.</summary>
    public nint CreatePart(nint of, (long First, long Count) elements, ReadOnlySpan<long> shape, ElementType type) =>
        CreateTensor((byte*)DataOf(of) + (elements.First * type.Size()), elements.Count * type.Size(), shape, type);

    /// <summary>A tensor of text; the texts, UTF-8 with a zero at their end, are copied.</summary>
    public nint CreateTextTensor(ReadOnlySpan<nint> texts, ReadOnlySpan<long> shape)
    {
        nint value;
        fixed (long* sizes = shape)
        {
            Check(((delegate* unmanaged<nint, long*, nuint, int, nint*, nint>)table[48])(Allocator, sizes, (nuint)shape.Length, (int)ElementType.Text, &value));
        }

        fixed (nint* first = texts)
        {
            Check(((delegate* unmanaged<nint, nint*, nuint, nint>)table[52])(value, first, (nuint)texts.Length));
        }

        return value;
    }

    public void ReleaseValue(nint value) => Release(96, value);

    public ValueKind KindOf(nint value)
    {
        int kind;
        Check(((delegate* unmanaged<nint, int*, nint>)table[67])(value, &kind));
        return (ValueKind)kind;
    }

    /// <summary>Type and shape of a tensor; its sizes are written into <paramref name="shape"/>, which has room for the most that a tensor has.</summary>
    public (ElementType Type, int Rank, long Count) Measure(nint value, Span<long> shape)
    {
        nint info;
        Check(((delegate* unmanaged<nint, nint*, nint>)table[65])(value, &info));
        try
        {
            int type;
            nuint rank, count;
            Check(((delegate* unmanaged<nint, int*, nint>)table[60])(info, &type));
            Check(((delegate* unmanaged<nint, nuint*, nint>)table[61])(info, &rank));
            Check(((delegate* unmanaged<nint, nuint*, nint>)table[64])(info, &count));
            if ((int)rank > shape.Length)
            {
                throw new OrtException(0, $"A tensor has {rank} dimensions; at most {shape.Length} are supported.");
            }

            fixed (long* sizes = shape)
            {
                Check(((delegate* unmanaged<nint, long*, nuint, nint>)table[62])(info, sizes, rank));
            }

            return ((ElementType)type, (int)rank, (long)count);
        }
        finally
        {
            Release(99, info);
        }
    }

    /// <summary>The memory of a tensor of numbers or truth values, valid until it is released.</summary>
    public void* DataOf(nint value)
    {
        void* data;
        Check(((delegate* unmanaged<nint, void**, nint>)table[51])(value, &data));
        return data;
    }

    /// <summary>One text of a tensor of texts, as UTF-8.</summary>
    public byte[] TextAt(nint value, long index)
    {
        nuint length;
        Check(((delegate* unmanaged<nint, nuint, nuint*, nint>)table[127])(value, (nuint)index, &length));
        var text = new byte[(int)length];
        fixed (byte* bytes = text)
        {
            Check(((delegate* unmanaged<nint, nuint, nuint, byte*, nint>)table[128])(value, length, (nuint)index, bytes));
        }

        return text;
    }

    /// <summary>How many values a sequence or a map holds: a map two, its keys and its values.</summary>
    public int CountParts(nint value)
    {
        nuint count;
        Check(((delegate* unmanaged<nint, nuint*, nint>)table[81])(value, &count));
        return (int)count;
    }

    /// <summary>A part of a sequence or map; the caller releases it.</summary>
    public nint PartAt(nint value, int index)
    {
        nint part;
        Check(((delegate* unmanaged<nint, int, nint, nint*, nint>)table[80])(value, index, Allocator, &part));
        return part;
    }
}
