using System.Buffers.Binary;
using System.Text;

namespace Zaffre.Tracking.Traces;

/// <summary>A message of protobuf that is not one: cut off, or with lengths that lead out of it.</summary>
internal sealed class ProtobufException(string message) : Exception(message);

/// <summary>
/// Walks the fields of one protobuf message, without a schema. Everything is checked against the end of the message, so no input
/// reads past it or recurses by itself.
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private const int MostVarintBytes = 10;

    private ReadOnlySpan<byte> rest = message;
    private ulong number;
    private ReadOnlySpan<byte> bytes;

    /// <summary>The number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>The value of a varint, fixed32 or fixed64 field.</summary>
    public readonly ulong Number => number;

    /// <summary>The value of a length-delimited field.</summary>
    public readonly ReadOnlySpan<byte> Bytes => bytes;

    public readonly string Text => Encoding.UTF8.GetString(bytes);

    /// <summary>Moves to the next field; false at the end.</summary>
    public bool Next()
    {
        if (rest.IsEmpty)
        {
            return false;
        }

        var tag = Varint();
        Field = (int)(tag >> 3);
        number = 0;
        bytes = default;
        switch (tag & 7)
        {
            case 0:
                number = Varint();
                break;
            case 1:
                number = BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));
                break;
            case 2:
                bytes = Take(Varint());
                break;
            case 5:
                number = BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));
                break;
            default:
                throw new ProtobufException($"field {Field} has the wire type {tag & 7}");
        }

        return true;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var i = 0; i < MostVarintBytes && i < rest.Length; i++)
        {
            value |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return value;
            }
        }

        throw new ProtobufException("a number is cut off");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)rest.Length)
        {
            throw new ProtobufException($"a field of {length} bytes has {rest.Length} left");
        }

        var taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }
}
