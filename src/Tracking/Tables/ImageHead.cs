using System.Buffers.Binary;

namespace Zaffre.Tracking.Tables;

/// <summary>What the first bytes of a picture say. Width and height are null where they do not say it.</summary>
internal sealed record ImageHead(string Format, string ContentType, int? Width, int? Height)
{
    /// <summary>How many bytes are looked at.</summary>
    public const int Bytes = 64 * 1024;

    /// <summary>The picture that begins so, or null.</summary>
    public static ImageHead? Of(ReadOnlySpan<byte> head) => head switch
    {
        _ when head.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) => head.Length < 24
            ? new ImageHead("png", "image/png", null, null)
            : new ImageHead("png", "image/png", BinaryPrimitives.ReadInt32BigEndian(head[16..]), BinaryPrimitives.ReadInt32BigEndian(head[20..])),
        _ when head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) => Jpeg(head),
        _ when head.StartsWith("GIF8"u8) && head.Length >= 10 => new ImageHead("gif", "image/gif", BinaryPrimitives.ReadUInt16LittleEndian(head[6..]), BinaryPrimitives.ReadUInt16LittleEndian(head[8..])),
        _ when head.StartsWith("RIFF"u8) && head.Length >= 12 && head[8..].StartsWith("WEBP"u8) => new ImageHead("webp", "image/webp", null, null),
        _ when head.StartsWith("BM"u8) && head.Length >= 26 => new ImageHead("bmp", "image/bmp", BinaryPrimitives.ReadInt32LittleEndian(head[18..]), Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(head[22..])) is var height and <= int.MaxValue ? (int)height : null),
        _ when head.IndexOf("<svg"u8) is >= 0 and < 1024 => new ImageHead("svg", "image/svg+xml", null, null),
        _ => null,
    };

    /// <summary>Goes from segment to segment to the one that has the size.</summary>
    private static ImageHead Jpeg(ReadOnlySpan<byte> head)
    {
        var at = 2;
        while (at + 9 < head.Length && head[at] == 0xFF)
        {
            var marker = head[at + 1];
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                return new ImageHead("jpeg", "image/jpeg", BinaryPrimitives.ReadUInt16BigEndian(head[(at + 7)..]), BinaryPrimitives.ReadUInt16BigEndian(head[(at + 5)..]));
            }

            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(head[(at + 2)..]);
        }

        return new ImageHead("jpeg", "image/jpeg", null, null);
    }
}
