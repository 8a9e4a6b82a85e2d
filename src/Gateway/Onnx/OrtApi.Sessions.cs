using System.Runtime.InteropServices;
using System.Text;

namespace Zaffre.Gateway.Onnx;

/// <summary>Sessions: loading a model, asking what it takes and gives, running it.</summary>
internal sealed unsafe partial class OrtApi
{
    private const int AllOptimizations = 99;

    /// <summary>Loads a model file. Operators outside of the standard domains are unknown: no library of custom ones is ever registered.</summary>
    public nint CreateSession(string path, int threads)
    {
        nint options, session;
        Check(((delegate* unmanaged<nint*, nint>)table[10])(&options));
        try
        {
            Check(((delegate* unmanaged<nint, int, nint>)table[23])(options, AllOptimizations));
            Check(((delegate* unmanaged<nint, int, nint>)table[24])(options, threads));
            Check(((delegate* unmanaged<nint, int, nint>)table[25])(options, 1));
            Configure(options, "session.use_env_allocators"u8, "1"u8);
            Configure(options, "session.intra_op.allow_spinning"u8, "0"u8);
            fixed (byte* file = Encoding.UTF8.GetBytes(path + "\0"))
            {
                Check(((delegate* unmanaged<nint, byte*, nint, nint*, nint>)table[7])(Environment, file, options, &session));
            }

            return session;
        }
        finally
        {
            Release(100, options);
        }
    }

    public void ReleaseSession(nint session) => Release(95, session);

    public int CountInputs(nint session) => Count(30, session);

    public int CountOutputs(nint session) => Count(31, session);

    public ValueSpec InputAt(nint session, int index) => Describe(session, (nuint)index, 36, 33);

    public ValueSpec OutputAt(nint session, int index) => Describe(session, (nuint)index, 37, 34);

    public nint CreateRunOptions()
    {
        nint options;
        Check(((delegate* unmanaged<nint*, nint>)table[39])(&options));
        return options;
    }

    /// <summary>Ends runs that use these options at the next node of their graph.</summary>
    public void SetTerminate(nint options) => Check(((delegate* unmanaged<nint, nint>)table[46])(options));

    public void UnsetTerminate(nint options) => Check(((delegate* unmanaged<nint, nint>)table[47])(options));

    public void ReleaseRunOptions(nint options) => Release(97, options);

    /// <summary>Runs the model. <paramref name="outputs"/> are filled with values of the caller's to release, in the order of the names.</summary>
    public void Run(nint session, nint options, (nint Names, Memory<nint> Values) inputs, (nint Names, Memory<nint> Values) outputs)
    {
        fixed (nint* given = inputs.Values.Span, taken = outputs.Values.Span)
        {
            Check(((delegate* unmanaged<nint, nint, nint, nint*, nuint, nint, nuint, nint*, nint>)table[9])(
                session, options, inputs.Names, given, (nuint)inputs.Values.Length, outputs.Names, (nuint)outputs.Values.Length, taken));
        }
    }

    private void Configure(nint options, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // Literals of UTF-8 are followed by a zero.
        fixed (byte* name = key, text = value)
        {
            Check(((delegate* unmanaged<nint, byte*, byte*, nint>)table[130])(options, name, text));
        }
    }

    private int Count(int slot, nint session)
    {
        nuint count;
        Check(((delegate* unmanaged<nint, nuint*, nint>)table[slot])(session, &count));
        return (int)count;
    }

    private ValueSpec Describe(nint session, nuint index, int nameSlot, int typeSlot)
    {
        nint text, info, tensor;
        Check(((delegate* unmanaged<nint, nuint, nint, nint*, nint>)table[nameSlot])(session, index, Allocator, &text));
        var name = Marshal.PtrToStringUTF8(text) ?? "";
        Check(((delegate* unmanaged<nint, nint, nint>)table[76])(Allocator, text));
        Check(((delegate* unmanaged<nint, nuint, nint*, nint>)table[typeSlot])(session, index, &info));
        try
        {
            int kind;
            Check(((delegate* unmanaged<nint, int*, nint>)table[56])(info, &kind));
            if ((ValueKind)kind != ValueKind.Tensor)
            {
                return new ValueSpec(name, (ValueKind)kind, ElementType.None, []);
            }

            Check(((delegate* unmanaged<nint, nint*, nint>)table[55])(info, &tensor));
            var (type, shape) = ReadShape(tensor);
            return new ValueSpec(name, ValueKind.Tensor, type, shape);
        }
        finally
        {
            Release(98, info);
        }
    }

    private (ElementType Type, long[] Shape) ReadShape(nint tensor)
    {
        int type;
        nuint rank;
        Check(((delegate* unmanaged<nint, int*, nint>)table[60])(tensor, &type));
        Check(((delegate* unmanaged<nint, nuint*, nint>)table[61])(tensor, &rank));
        var shape = new long[(int)rank];
        fixed (long* sizes = shape)
        {
            Check(((delegate* unmanaged<nint, long*, nuint, nint>)table[62])(tensor, sizes, rank));
        }

        return ((ElementType)type, shape);
    }
}
