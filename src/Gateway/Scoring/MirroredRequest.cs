using Microsoft.AspNetCore.Http;

namespace Zaffre.Gateway.Scoring;

/// <summary>A copy of a request whose answer nobody reads.</summary>
internal static class MirroredRequest
{
    /// <summary>Takes over nothing of <paramref name="live"/>, which ends before the copy does.</summary>
    public static HttpContext Of(HttpRequest live, ReadOnlyMemory<byte> body)
    {
        var copy = new DefaultHttpContext();
        copy.Request.Method = live.Method;
        copy.Request.Scheme = live.Scheme;
        copy.Request.Host = live.Host;
        copy.Request.PathBase = live.PathBase;
        copy.Request.Path = live.Path;
        copy.Request.QueryString = live.QueryString;
        foreach (var (name, values) in live.Headers)
        {
            copy.Request.Headers[name] = values;
        }

        copy.Request.ContentLength = body.Length;
        copy.Request.Body = new MemoryStream(body.ToArray(), writable: false);
        copy.Response.Body = Stream.Null;
        return copy;
    }
}
