using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Zaffre.Tracking.Mlflow;

/// <summary>The body of a request in memory that is used again when the request has ended.</summary>
internal sealed class RequestBody : IDisposable
{
    private const int Least = 4096;

    private byte[] buffer;
    private int length;
    private JsonDocument? document;

    private RequestBody(int size) => buffer = ArrayPool<byte>.Shared.Rent(size);

    public ReadOnlyMemory<byte> Bytes => buffer.AsMemory(0, length);

    /// <summary>Reads a body of at most <paramref name="limit"/> bytes, and lets go of it with the request.</summary>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, int limit, CancellationToken ct)
    {
        // One byte more than was announced, so that the end is seen without growing.
        var body = new RequestBody((int)Math.Clamp((request.ContentLength ?? 0) + 1, Least, limit));
        request.HttpContext.Response.RegisterForDispose(body);
        int read;
        while ((read = await request.Body.ReadAsync(body.Free(), ct)) > 0)
        {
            body.length += read;
            if (body.length > limit)
            {
                throw MlflowErrors.Invalid($"The request body exceeds {limit} bytes.");
            }
        }

        return body;
    }

    /// <summary>The document that the body is.</summary>
    public JsonElement Parse(JsonDocumentOptions options) => (document = JsonDocument.Parse(Bytes, options)).RootElement;

    public void Dispose()
    {
        document?.Dispose();
        ArrayPool<byte>.Shared.Return(buffer);
        (buffer, length) = ([], 0);
    }

    private Memory<byte> Free()
    {
        if (length == buffer.Length)
        {
            var grown = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
            buffer.AsSpan(0, length).CopyTo(grown);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = grown;
        }

        return buffer.AsMemory(length);
    }
}
