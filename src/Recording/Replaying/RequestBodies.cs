using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Zaffre.Recording.Replaying;

/// <summary>Makes the bodies of replayed requests: placeholders filled, digests of content made again, unknown content as zeros.</summary>
internal sealed class RequestBodies(Bindings bindings)
{
    private const int Largest = 256 * 1024 * 1024;

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static bool IsContentHeader(string name) => name.StartsWith("content-", StringComparison.Ordinal);

    public HttpContent? Of(RecordedRequest request)
    {
        if (request.Body is null && request.Method is "GET" or "HEAD" or "DELETE" or "OPTIONS")
        {
            return null;
        }

        var bytes = BytesOf(request.Body);
        var content = new ByteArrayContent(bytes);
        foreach (var (name, value) in request.Headers.Where(header => IsContentHeader(header.Key) && header.Key is not ("content-length" or "content-md5")))
        {
            content.Headers.TryAddWithoutValidation(name, bindings.Fill(value));
        }

        if (request.Headers.ContainsKey("content-md5"))
        {
#pragma warning disable CA5351 // The protocol's own integrity check.
            content.Headers.ContentMD5 = MD5.HashData(bytes);
#pragma warning restore CA5351
        }

        return content;
    }

    private byte[] BytesOf(RecordedBody? body) => body switch
    {
        { Json: { } json } => Encoding.UTF8.GetBytes(bindings.Fill(json.ToJsonString(Relaxed), value => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value))),
        { Form: { } form } => Encoding.UTF8.GetBytes(string.Join('&', form.Select(field => $"{Uri.EscapeDataString(field.Key)}={Uri.EscapeDataString(bindings.Fill(field.Value))}"))),
        { Text: { } text } => Encoding.UTF8.GetBytes(bindings.Fill(text)),
        { Length: { } length } => new byte[Math.Min(length, Largest)],
        _ => [],
    };
}
