namespace Zaffre.Kernel;

/// <summary>Texts that come in pieces of bytes.</summary>
public static class Utf8Text
{
    /// <summary>How many bytes make whole UTF-8 characters; everything when it is no UTF-8 at all.</summary>
    public static int WholeCharacters(ReadOnlySpan<byte> bytes)
    {
        for (var back = 1; back <= Math.Min(4, bytes.Length); back++)
        {
            var lead = bytes[^back];
            if ((lead & 0xC0) == 0x80)
            {
                continue;
            }

            var length = lead switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
            return length > back && bytes.Length > back ? bytes.Length - back : bytes.Length;
        }

        return bytes.Length;
    }
}
