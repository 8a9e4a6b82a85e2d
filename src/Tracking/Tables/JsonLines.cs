using System.Text.Json;

namespace Zaffre.Tracking.Tables;

/// <summary>Reads objects of JSON, one on each line.</summary>
internal sealed class JsonLines(Stream stream) : IDisposable
{
    private const int LongestLine = 4 * 1024 * 1024;

    private readonly byte[] buffer = new byte[64 * 1024];
    private readonly MemoryStream line = new();
    private int at;
    private int filled;
    private long before;

    public long Position => before + at;

    /// <summary>How many lines were read.</summary>
    public long Line { get; private set; }

    public void Seek(long position, long lines)
    {
        stream.Seek(position, SeekOrigin.Begin);
        (before, at, filled, Line) = (position, 0, 0, lines);
    }

    public void Dispose() => line.Dispose();

    /// <summary>The next object; empty lines are passed over; null at the end.</summary>
    public async Task<JsonElement?> ReadAsync(CancellationToken ct)
    {
        while (await LineAsync(ct))
        {
            var text = line.GetBuffer().AsMemory(0, (int)line.Length);
            text = Line == 1 && text.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? text[3..] : text;
            if (text.Span.Trim(" \t\r"u8).Length > 0)
            {
                using var document = PythonJson.Parse(text.ToArray(), Line - 1);
                return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : throw new BrokenTableException(Line, "The line is no JSON object.");
            }
        }

        return null;
    }

    private async Task<bool> LineAsync(CancellationToken ct)
    {
        line.SetLength(0);
        while (true)
        {
            if (at == filled)
            {
                before += filled;
                (at, filled) = (0, await stream.ReadAsync(buffer, ct));
                if (filled == 0)
                {
                    Line += line.Length > 0 ? 1 : 0;
                    return line.Length > 0;
                }
            }

            var end = buffer.AsSpan(at, filled - at).IndexOf((byte)'\n');
            line.Write(buffer, at, end < 0 ? filled - at : end);
            at = end < 0 ? filled : at + end + 1;
            if (line.Length > LongestLine)
            {
                throw new BrokenTableException(Line + 1, $"The line is longer than {LongestLine} bytes.");
            }

            if (end >= 0)
            {
                Line++;
                return true;
            }
        }
    }
}
