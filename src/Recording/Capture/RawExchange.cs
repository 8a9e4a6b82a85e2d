using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Zaffre.Recording.Capture;

/// <summary>An exchange as it was, in memory only, until it is sanitized.</summary>
internal sealed class RawExchange : IDisposable
{
    public RawExchange(long number, HttpContext context, int limit)
    {
        Number = number;
        Method = context.Request.Method;
        Host = context.Request.Host.Value ?? "";
        Target = context.Features.Get<IHttpRequestFeature>()?.RawTarget is { Length: > 0 } raw
            ? raw
            : context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent();
        Port = context.Connection.LocalPort;
        RequestHeaders = Copy(context.Request.Headers);
        RequestBody = new CapturedBody(limit);
        AnswerBody = new CapturedBody(limit);
    }

    public long Number { get; }

    public string Method { get; }

    public string Host { get; }

    public string Target { get; }

    /// <summary>The server's port.</summary>
    public int Port { get; }

    public TimeSpan At { get; set; }

    public TimeSpan Elapsed { get; private set; }

    public int Status { get; private set; }

    public bool Aborted { get; private set; }

    public IReadOnlyList<KeyValuePair<string, string>> RequestHeaders { get; }

    public IReadOnlyList<KeyValuePair<string, string>> AnswerHeaders { get; private set; } = [];

    public CapturedBody RequestBody { get; }

    public CapturedBody AnswerBody { get; }

    public long Held => RequestBody.Held + AnswerBody.Held + 4096;

    public void End(HttpResponse response, TimeSpan elapsed, bool whole)
    {
        Status = response.StatusCode;
        AnswerHeaders = Copy(response.Headers);
        Elapsed = elapsed;
        Aborted = !whole;
    }

    public void Dispose()
    {
        RequestBody.Dispose();
        AnswerBody.Dispose();
    }

    private static List<KeyValuePair<string, string>> Copy(IHeaderDictionary headers) =>
        headers.Select(header => KeyValuePair.Create(header.Key.ToLowerInvariant(), header.Value.ToString())).ToList();
}
