using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Zaffre.Gateway.Workers;

internal enum FrameKind : byte
{
    /// <summary>First frame of a scoring process on a connection: <c>init()</c> is done, requests may come.</summary>
    Hello = 1,
    Request = 2,
    Response = 3,

    /// <summary>A piece of a streamed response; an empty one ends it.</summary>
    Piece = 4,
}

[Flags]
internal enum FrameFlags : byte
{
    None = 0,

    /// <summary>Response: <c>run()</c> raised.</summary>
    RunFailed = 1,

    /// <summary>Response: the body is JSON and the head is empty.</summary>
    Json = 2,

    /// <summary>Hello: the script wants the request's headers (raw HTTP).</summary>
    WantsHeaders = 4,

    /// <summary>Response: the runtime itself refuses the request; its status is the answer's and no error of the model.</summary>
    OwnStatus = 8,

    /// <summary>Response: the body follows in <see cref="FrameKind.Piece"/> frames.</summary>
    Streamed = 16,
}

/// <summary>
/// The header of every frame, followed by head and body (a hello's body is its <see cref="WorkerDescription"/>), 20 bytes, little endian: magic, kind, flags, reserved, status (2), reserved (2), head bytes (4),
/// body bytes (4), number (4): milliseconds left of a request, microseconds of <c>run()</c> of a response, process id of a hello.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct WorkerFrame(FrameKind Kind, FrameFlags Flags, ushort Status, int HeadLength, int BodyLength, int Number)
{
    public const int Size = 20;
    public const byte Magic = 0x5A;
    public const int MaxHead = 256 * 1024;
    public const int MaxBody = 1 << 30;

    /// <summary>The frame in <paramref name="bytes"/>, or null when it is none: the peer is broken and its connection ends.</summary>
    public static WorkerFrame? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size || bytes[0] != Magic || bytes[3] != 0)
        {
            return null;
        }

        var kind = (FrameKind)bytes[1];
        var head = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        var body = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        var number = BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]);
        if (kind is < FrameKind.Hello or > FrameKind.Piece || head > MaxHead || body > MaxBody || number > int.MaxValue)
        {
            return null;
        }

        return new WorkerFrame(kind, (FrameFlags)bytes[2], BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]), (int)head, (int)body, (int)number);
    }

    public void Write(Span<byte> bytes)
    {
        bytes[..Size].Clear();
        bytes[0] = Magic;
        bytes[1] = (byte)Kind;
        bytes[2] = (byte)Flags;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], Status);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], (uint)HeadLength);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], (uint)BodyLength);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], (uint)Number);
    }
}
