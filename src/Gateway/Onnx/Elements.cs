using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>The elements of a tensor that a run gave back. Valid until the value is released.</summary>
internal readonly unsafe ref struct Elements
{
    private readonly OrtApi ort;
    private readonly nint value;
    private readonly ElementType type;
    private readonly void* data;

    public Elements(OrtApi ort, nint value, ElementType type)
    {
        (this.ort, this.value, this.type) = (ort, value, type);
        data = type == ElementType.Text ? null : ort.DataOf(value);
    }

    public void Write(Utf8JsonWriter json, long index)
    {
        switch (type)
        {
            case ElementType.Float32 when float.IsFinite(((float*)data)[index]):
                json.WriteNumberValue(((float*)data)[index]);
                break;
            case ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16 when double.IsFinite(Real(index)):
                json.WriteNumberValue(Real(index));
                break;
            case ElementType.Int64:
                json.WriteNumberValue(((long*)data)[index]);
                break;
            case ElementType.UInt64:
                json.WriteNumberValue(((ulong*)data)[index]);
                break;
            case ElementType.Boolean:
                json.WriteBooleanValue(((byte*)data)[index] != 0);
                break;
            case ElementType.Text:
                json.WriteStringValue(ort.TextAt(value, index));
                break;
            case ElementType.Int8 or ElementType.UInt8 or ElementType.Int16 or ElementType.UInt16 or ElementType.Int32 or ElementType.UInt32:
                json.WriteNumberValue(Whole(index));
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    /// <summary>The elements as they lie in memory; not of texts.</summary>
    public ReadOnlySpan<byte> Raw(long count) => new(data, checked((int)(count * type.Size())));

    /// <summary>A text as UTF-8.</summary>
    public byte[] Text(long index) => ort.TextAt(value, index);

    /// <summary>An element as the key of an object.</summary>
    public string Name(long index) => type == ElementType.Text
        ? Encoding.UTF8.GetString(ort.TextAt(value, index))
        : type.IsFloat() || type == ElementType.Float32 ? Real(index).ToString(CultureInfo.InvariantCulture) : Whole(index).ToString(CultureInfo.InvariantCulture);

    private double Real(long index) => type switch
    {
        ElementType.Float32 => ((float*)data)[index],
        ElementType.Float64 => ((double*)data)[index],
        ElementType.Float16 => (double)((Half*)data)[index],
        _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)data)[index] << 16),
    };

    private long Whole(long index) => type switch
    {
        ElementType.Int8 => ((sbyte*)data)[index],
        ElementType.UInt8 or ElementType.Boolean => ((byte*)data)[index],
        ElementType.Int16 => ((short*)data)[index],
        ElementType.UInt16 => ((ushort*)data)[index],
        ElementType.Int32 => ((int*)data)[index],
        ElementType.UInt32 => ((uint*)data)[index],
        _ => ((long*)data)[index],
    };
}
