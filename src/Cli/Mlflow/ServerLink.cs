using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>
/// Calls of one server below one address, with its token. Calls that fail for the network or a moment of the server (429, 502, 503, 504) are repeated: everything that is
/// sent here may be sent twice.
/// </summary>
internal sealed class ServerLink(HttpClient http, string prefix, Func<bool, CancellationToken, Task<AuthenticationHeaderValue?>> authorize)
{
    private const int Attempts = 5;
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);

    /// <summary>The address, for messages.</summary>
    public string Address => (http.BaseAddress?.ToString().TrimEnd('/') ?? "") + prefix;

    public Task<JsonObject> GetAsync(string path, CancellationToken ct) => JsonAsync(HttpMethod.Get, path, null, ct);

    public Task<JsonObject> PostAsync(string path, JsonObject body, CancellationToken ct) => JsonAsync(HttpMethod.Post, path, body, ct);

    public async Task<JsonObject> JsonAsync(HttpMethod method, string path, JsonObject? body, CancellationToken ct)
    {
        var text = body?.ToJsonString(ZaffreJson.Options);
        using var response = await SendAsync(method, path, text is null ? null : _ => Task.FromResult<HttpContent>(new StringContent(text, Encoding.UTF8, "application/json")), ct);
        return await ReadAsync(response, ct);
    }

    /// <summary>As <see cref="GetAsync"/>; null when the server does not have it (404), or does not know the call.</summary>
    public async Task<JsonObject?> FindAsync(HttpMethod method, string path, JsonObject? body, CancellationToken ct)
    {
        try
        {
            return await JsonAsync(method, path, body, ct);
        }
        catch (ServerException refused) when (refused.Status is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented)
        {
            return null;
        }
    }

    /// <summary>A file to read as it arrives, with its length where the server says it.</summary>
    public async Task<Stream> OpenAsync(string path, CancellationToken ct)
    {
        var response = await SendAsync(HttpMethod.Get, path, null, ct);
        if (!response.IsSuccessStatusCode)
        {
            using (response)
            {
                await ReadAsync(response, ct);
            }
        }

        return await response.Content.ReadAsStreamAsync(ct);
    }

    /// <summary>Sends a body that <paramref name="content"/> makes anew for each attempt; the caller disposes the answer.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, Func<CancellationToken, Task<HttpContent>>? content, CancellationToken ct)
    {
        for (var (attempt, refresh) = (1, false); ; attempt++)
        {
            try
            {
                using var request = new HttpRequestMessage(method, prefix + path) { Content = content is null ? null : await content(ct) };
                request.Headers.Authorization = await authorize(refresh, ct);
                var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
                refresh = response.StatusCode == HttpStatusCode.Unauthorized && attempt == 1;
                if ((!refresh && !IsPassing(response.StatusCode)) || attempt == Attempts)
                {
                    return response;
                }

                response.Dispose();
            }
            catch (HttpRequestException) when (attempt < Attempts)
            {
                // Once more, after a moment.
            }
            catch (HttpRequestException exception)
            {
                throw new CliException($"The server at {Address} does not answer: {exception.Message}");
            }

            await Task.Delay(FirstWait * Math.Pow(2, attempt - 1), ct);
        }
    }

    /// <summary>The answer, or what the server says is wrong.</summary>
    public async Task<JsonObject> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var text = await response.Content.ReadAsStringAsync(ct);
        JsonObject? body;
        try
        {
            body = text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            body = null;
        }

        if (response.IsSuccessStatusCode)
        {
            return body ?? (text.Length == 0 ? [] : throw new CliException($"{Address} does not answer as an MLflow server does: {(text.Length > 100 ? text[..100] + "..." : text)}"));
        }

        var said = body?.Object("error")?.Text("message") ?? body?.Text("message") ?? response.ReasonPhrase ?? "";
        var code = body?.Object("error")?.Text("code") ?? body?.Text("error_code") ?? "";
        throw new ServerException(response.StatusCode, code, $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath}: HTTP {(int)response.StatusCode} {code} {said}".TrimEnd());
    }

    private static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;
}

/// <summary>A server refused a call.</summary>
internal sealed class ServerException(HttpStatusCode status, string code, string message) : IOException(message)
{
    public HttpStatusCode Status => status;

    public string Code => code;
}
