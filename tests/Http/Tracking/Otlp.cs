using System.Buffers.Binary;
using System.Text;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Writes OTLP export requests as OpenTelemetry's exporters do.</summary>
internal static class Otlp
{
    public static byte[] Request(params byte[][] spans) => Field(1, Field(2, [.. spans.SelectMany(span => Field(2, span))]));

    public static byte[] Span(byte[] trace, ulong id, ulong? parent, string name, (ulong Start, ulong End) time, params (string Key, object Value)[] attributes) =>
    [
        .. Field(1, trace), .. Field(2, Id(id)), .. parent is { } above ? Field(4, Id(above)) : [], .. Field(5, Encoding.UTF8.GetBytes(name)), .. Varint(6 << 3), .. Varint(1),
        .. Fixed(7, time.Start), .. Fixed(8, time.End), .. attributes.SelectMany(attribute => Field(9, [.. Field(1, Encoding.UTF8.GetBytes(attribute.Key)), .. Field(2, Value(attribute.Value))])),
        .. Field(15, [.. Varint(3 << 3), .. Varint(1)]),
    ];

    private static byte[] Value(object value) => value switch
    {
        string text => Field(1, Encoding.UTF8.GetBytes(text)),
        bool flag => [.. Varint(2 << 3), .. Varint(flag ? 1UL : 0)],
        long number => [.. Varint(3 << 3), .. Varint((ulong)number)],
        double real => Fixed(4, BitConverter.DoubleToUInt64Bits(real)),
        _ => throw new ArgumentException("No such value.", nameof(value)),
    };

    private static byte[] Id(ulong id)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id);
        return bytes;
    }

    private static byte[] Field(int number, byte[] content) => [.. Varint((ulong)((number << 3) | 2)), .. Varint((ulong)content.Length), .. content];

    private static byte[] Fixed(int number, ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return [.. Varint((ulong)((number << 3) | 1)), .. bytes];
    }

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)((value & 0x7f) | 0x80));
        }

        bytes.Add((byte)value);
        return [.. bytes];
    }
}
