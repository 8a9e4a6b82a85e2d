using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Zaffre.Gateway.Scoring;

/// <summary>
/// A request body in one pooled buffer. It is read whole before a scoring process is taken: a slow sender holds no process,
/// and a request whose process died before it began can be sent again.
/// </summary>
internal struct PooledBody : IDisposable
{
    private byte[]? buffer;

    public int Length { get; private set; }

    public readonly ReadOnlyMemory<byte> Memory => buffer.AsMemory(0, Length);

    /// <summary>Reads the body; null when it is larger than <paramref name="limit"/>.</summary>
    public static async ValueTask<PooledBody?> ReadAsync(HttpRequest request, long limit, CancellationToken ct)
    {
        var announced = request.ContentLength;
        if (announced > limit)
        {
            return null;
        }

        var body = new PooledBody { buffer = announced == 0 ? null : ArrayPool<byte>.Shared.Rent((int)Math.Max(announced ?? 16 * 1024, 1) + 1) };
        try
        {
            var reader = request.BodyReader;
            while (body.buffer is not null)
            {
                var result = await reader.ReadAsync(ct);
                if (body.Length + result.Buffer.Length > limit)
                {
                    reader.AdvanceTo(result.Buffer.End);
                    body.Dispose();
                    return null;
                }

                body.Append(result.Buffer);
                reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    break;
                }
            }

            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (buffer is { } rented)
        {
            buffer = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void Append(in ReadOnlySequence<byte> more)
    {
        var needed = Length + (int)more.Length;
        if (needed > buffer!.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, (int)Math.Min(2L * buffer.Length, Array.MaxLength)));
            buffer.AsSpan(0, Length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }

        more.CopyTo(buffer.AsSpan(Length));
        Length = needed;
    }
}
