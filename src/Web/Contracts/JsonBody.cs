using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>Reading and writing of JSON documents as request and response bodies.</summary>
public static class JsonBody
{
    /// <summary>Most bytes of a control-plane body.</summary>
    public const int Limit = 16 * 1024 * 1024;

    private const int MaxDepth = 128;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    /// <summary>The request body as a JSON object, or what is wrong with it.</summary>
    public static Task<Outcome<JsonObject>> ReadAsync(HttpRequest request, CancellationToken ct) => ReadAsync(request, text => text, ct);

    /// <summary>As <see cref="ReadAsync(HttpRequest, CancellationToken)"/>, where clients send what only <paramref name="toJson"/> makes JSON.</summary>
    public static async Task<Outcome<JsonObject>> ReadAsync(HttpRequest request, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> toJson, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(toJson);
        ArgumentNullException.ThrowIfNull(request);
        if (request.ContentLength > Limit)
        {
            return TooLarge();
        }

        try
        {
            var buffer = new MemoryStream();
            var chunk = new byte[16 * 1024];
            int read;
            while ((read = await request.Body.ReadAsync(chunk, ct)) > 0)
            {
                buffer.Write(chunk, 0, read);
                if (buffer.Length > Limit)
                {
                    return TooLarge();
                }
            }

            if (buffer.Length == 0)
            {
                return ArmErrors.InvalidBody("The request needs a JSON object as its body; it is empty.");
            }

            var json = toJson(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
            if (JsonText.Fault(json.Span, MaxDepth) is { } fault)
            {
                return ArmErrors.InvalidBody($"The request body is not valid JSON: {fault}");
            }

            return JsonNode.Parse(json.Span, documentOptions: Reading) is JsonObject document
                ? document
                : ArmErrors.InvalidBody("The request needs a JSON object as its body.");
        }
        catch (JsonException exception)
        {
            return ArmErrors.InvalidBody($"The request body is not valid JSON: {exception.Message}");
        }
    }

    /// <summary>Writes <paramref name="body"/> as the whole response body.</summary>
    public static Task WriteAsync(HttpResponse response, JsonNode body, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(body);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body, ZaffreJson.Options);
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = bytes.Length;
        return response.Body.WriteAsync(bytes, ct).AsTask();
    }

    private static Problem TooLarge() => new(ProblemKind.TooLarge, "RequestEntityTooLarge", $"The request body exceeds {Limit} bytes.");
}
