namespace Zaffre.Gateway.Onnx;

/// <summary>Kinds of values, with ONNX Runtime's numbers.</summary>
internal enum ValueKind
{
    Unknown = 0,
    Tensor = 1,
    Sequence = 2,
    Map = 3,
    Opaque = 4,
    SparseTensor = 5,
    Optional = 6,
}

/// <summary>Types of elements, with ONNX's numbers.</summary>
internal enum ElementType
{
    None = 0,
    Float32 = 1,
    UInt8 = 2,
    Int8 = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    Text = 8,
    Boolean = 9,
    Float16 = 10,
    Float64 = 11,
    UInt32 = 12,
    UInt64 = 13,
    BFloat16 = 16,
}

/// <summary>An input or output of a model. In its shape -1 is a size that a request chooses.</summary>
internal sealed record ValueSpec(string Name, ValueKind Kind, ElementType Type, IReadOnlyList<long> Shape)
{
    public byte[] Utf8 { get; } = System.Text.Encoding.UTF8.GetBytes(Name);
}

internal static class ElementTypes
{
    private static readonly (ElementType Type, string Numpy, string Protocol, int Size)[] All =
    [
        (ElementType.Float32, "float32", "FP32", 4), (ElementType.Float64, "float64", "FP64", 8), (ElementType.Float16, "float16", "FP16", 2),
        (ElementType.BFloat16, "bfloat16", "BF16", 2), (ElementType.Int8, "int8", "INT8", 1), (ElementType.Int16, "int16", "INT16", 2),
        (ElementType.Int32, "int32", "INT32", 4), (ElementType.Int64, "int64", "INT64", 8), (ElementType.UInt8, "uint8", "UINT8", 1),
        (ElementType.UInt16, "uint16", "UINT16", 2), (ElementType.UInt32, "uint32", "UINT32", 4), (ElementType.UInt64, "uint64", "UINT64", 8),
        (ElementType.Boolean, "bool", "BOOL", 1), (ElementType.Text, "str", "BYTES", 0),
    ];

    /// <summary>Requests and answers can hold it.</summary>
    public static bool IsSupported(this ElementType type) => Array.Exists(All, a => a.Type == type);

    /// <summary>As numpy and MLflow name it.</summary>
    public static string Numpy(this ElementType type) => Find(type).Numpy;

    /// <summary>As the Open Inference Protocol names it.</summary>
    public static string Protocol(this ElementType type) => Find(type).Protocol;

    /// <summary>Bytes of one element; 0 for texts.</summary>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.Float32 or ElementType.Int32 or ElementType.UInt32 => 4,
        ElementType.Float64 or ElementType.Int64 or ElementType.UInt64 => 8,
        ElementType.Float16 or ElementType.BFloat16 or ElementType.Int16 or ElementType.UInt16 => 2,
        ElementType.Text or ElementType.None => 0,
        _ => 1,
    };

    public static bool IsFloat(this ElementType type) => type is ElementType.Float32 or ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16;

    private static (ElementType Type, string Numpy, string Protocol, int Size) Find(ElementType type) =>
        Array.Find(All, a => a.Type == type) is { Numpy: not null } found ? found : (type, "unknown", "UNKNOWN", 0);
}
