using System.Buffers;
using System.Text;

namespace Zaffre.Tracking.Tables;

/// <summary>Reads separated values record by record (RFC 4180: quoted fields hold separators, line ends and doubled quotes); nothing but one record is held in memory.</summary>
internal sealed class CsvRecords(Stream stream, byte separator)
{
    private const int LongestRecord = 4 * 1024 * 1024;
    private const int MostFields = 5000;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] buffer = new byte[64 * 1024];
    private readonly ArrayBufferWriter<byte> field = new(256);
    private int at;
    private int filled;
    private long before;

    /// <summary>The byte after what was read.</summary>
    public long Position => before + at;

    /// <summary>The line of the record that was read last, from 1.</summary>
    public long Line { get; private set; }

    private long ends;

    /// <summary>Goes to a byte at which a record begins; <paramref name="line"/> lines lie before it.</summary>
    public void Seek(long position, long line)
    {
        stream.Seek(position, SeekOrigin.Begin);
        (before, at, filled, ends) = (position, 0, 0, line);
    }

    /// <summary>How many lines lie before <see cref="Position"/>.</summary>
    public long Ends => ends;

    /// <summary>Passes over a byte order mark. Text of two bytes a character is refused.</summary>
    public async Task BeginAsync(CancellationToken ct)
    {
        await FillAsync(ct);
        var head = buffer.AsSpan(0, filled);
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || head.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
        {
            throw new BrokenTableException(1, "The file is UTF-16; tables are read as UTF-8.");
        }

        at = head.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0;
    }

    /// <summary>The next record; empty lines are passed over; null at the end.</summary>
    public async Task<IReadOnlyList<string>?> ReadAsync(CancellationToken ct)
    {
        while (true)
        {
            Line = ends + 1;
            var fields = new List<string>();
            var (start, quotedAny) = (Position, false);
            while (true)
            {
                var (end, quoted) = await FieldAsync(start, ct);
                quotedAny |= quoted;
                fields.Add(Text());
                if (end == separator && fields.Count < MostFields)
                {
                    continue;
                }

                if (end == separator)
                {
                    throw new BrokenTableException(Line, $"The record has more than {MostFields} fields.");
                }

                if (fields is [""] && !quotedAny)
                {
                    if (end < 0)
                    {
                        return null;
                    }

                    break;
                }

                return fields;
            }
        }
    }

    /// <summary>Reads a field into <see cref="field"/>; answers with what ended it: the separator, a line end, or -1 at the end of the file.</summary>
    private async Task<(int End, bool Quoted)> FieldAsync(long start, CancellationToken ct)
    {
        field.Clear();
        var next = await NextAsync(ct);
        if (next != '"')
        {
            while (next >= 0 && next != separator && next != '\n' && next != '\r')
            {
                Add(next, start);
                next = await NextAsync(ct);
            }

            return (await LineEndAsync(next, ct), false);
        }

        while (true)
        {
            next = await NextAsync(ct);
            if (next == '"')
            {
                next = await NextAsync(ct);
                if (next == '"')
                {
                    Add(next, start);
                    continue;
                }

                return next == separator || next is '\n' or '\r' or < 0
                    ? (await LineEndAsync(next, ct), true)
                    : throw new BrokenTableException(ends + 1, "After a closing quote comes neither a separator nor the end of the line.");
            }

            if (next < 0)
            {
                throw new BrokenTableException(Line, "A quoted field is not closed.");
            }

            ends += next == '\n' ? 1 : 0;
            Add(next, start);
        }
    }

    private async ValueTask<int> LineEndAsync(int end, CancellationToken ct)
    {
        if (end == '\r')
        {
            if (await NextAsync(ct) is var after && after != '\n' && after >= 0)
            {
                at--;
            }
        }

        ends += end is '\n' or '\r' ? 1 : 0;
        return end;
    }

    private void Add(int next, long start)
    {
        if (Position - start > LongestRecord)
        {
            throw new BrokenTableException(Line, $"The record is longer than {LongestRecord} bytes.");
        }

        field.GetSpan(1)[0] = (byte)next;
        field.Advance(1);
    }

    private async ValueTask<int> NextAsync(CancellationToken ct) => at < filled || await FillAsync(ct) ? buffer[at++] : -1;

    private async ValueTask<bool> FillAsync(CancellationToken ct)
    {
        before += filled;
        (at, filled) = (0, await stream.ReadAsync(buffer, ct));
        return filled > 0;
    }

    private string Text()
    {
        try
        {
            return Strict.GetString(field.WrittenSpan);
        }
        catch (DecoderFallbackException)
        {
            throw new BrokenTableException(Line, "The record is not UTF-8.");
        }
    }
}
