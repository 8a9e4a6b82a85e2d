using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Cli.Mlflow;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>
/// The public API as every other client uses it: a token by client credentials, then ARM, data plane and blobs. Trusts the
/// server's own CA and nothing else, and dials loopback whatever the host name (account names below <c>localhost</c> do not resolve everywhere).
/// </summary>
internal sealed class ApiClient : IDisposable
{
    /// <summary>The api-version the CLI speaks.</summary>
    public const string Version = "api-version=2024-10-01";

    private readonly RunningServer server;
    private readonly HttpClient http;
    private string? token;

    public ApiClient(RunningServer server, string group, string workspace)
    {
        this.server = server;
        WorkspacePath = $"/subscriptions/{server.SubscriptionId}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}";
        http = new HttpClient(Handler(server.CaFile)) { BaseAddress = new Uri($"https://localhost:{server.Port}"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The workspace's resource id.</summary>
    public string WorkspacePath { get; }

    /// <summary>A path below the workspace with the api-version.</summary>
    public string Path(string below, string query = "") => $"{WorkspacePath}/{below}?{Version}{query}";

    public Task<JsonObject> GetAsync(string path, CancellationToken ct) => SendAsync(HttpMethod.Get, path, null, ct);

    /// <summary>Sends and returns the JSON answer (empty when there is none); throws what the server says on an error.</summary>
    public async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken ct)
    {
        using var response = await RequestAsync(method, path, body, ct);
        var answer = await ReadAsync(response, ct);
        return await FollowAsync(method, path, response, answer, ct);
    }

    /// <summary>The resource at the path, or null when there is none.</summary>
    public async Task<JsonObject?> FindAsync(string path, CancellationToken ct)
    {
        using var response = await RequestAsync(HttpMethod.Get, path, null, ct);
        return response.StatusCode == HttpStatusCode.NotFound ? null : await ReadAsync(response, ct);
    }

    /// <summary>Every item of a list, page after page.</summary>
    public async IAsyncEnumerable<JsonObject> ListAsync(string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        for (string? next = path; next is not null;)
        {
            var page = await GetAsync(next, ct);
            foreach (var item in page["value"]!.AsArray().OfType<JsonObject>())
            {
                yield return item;
            }

            next = page.Text("nextLink");
        }
    }

    /// <summary>A response to read as it arrives; the caller disposes it.</summary>
    public async Task<HttpResponseMessage> StreamAsync(string path, CancellationToken ct)
    {
        var response = await RequestAsync(HttpMethod.Get, path, null, ct);
        if (!response.IsSuccessStatusCode)
        {
            using (response)
            {
                await ReadAsync(response, ct);
            }
        }

        return response;
    }

    /// <summary>A request of the caller's making (blobs, scoring) over the same trust; no token is added.</summary>
    public Task<HttpResponseMessage> RawAsync(HttpRequestMessage request, CancellationToken ct) =>
        http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);

    /// <summary>A bearer token for the scope, as <c>https://storage.azure.com/.default</c>.</summary>
    public async Task<string> TokenAsync(string scope, CancellationToken ct)
    {
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "client_credentials"), new("client_id", server.ClientId), new("client_secret", server.ClientSecret), new("scope", scope),
        ]);
        using var response = await Reach(() => http.PostAsync($"/{server.TenantId}/oauth2/v2.0/token", form, ct));
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(ct)) as JsonObject ?? [];
        return answer.Text("access_token") ?? throw new CliException($"The server refused the local owner's sign-in: {answer.Text("error_description")}");
    }

    /// <summary>Calls below <c>/zaffre/v1{workspace}</c> that stream and repeat; with a new token when the old one ends.</summary>
    public ServerLink Link() => new(
        http,
        "/zaffre/v1" + WorkspacePath,
        async (refresh, ct) =>
        {
            token = refresh ? null : token;
            return new AuthenticationHeaderValue("Bearer", token ??= await TokenAsync("https://management.azure.com/.default", ct));
        });

    public void Dispose() => http.Dispose();

    private async Task<HttpResponseMessage> RequestAsync(HttpMethod method, string path, JsonNode? body, CancellationToken ct)
    {
        token ??= await TokenAsync("https://management.azure.com/.default", ct);
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(ZaffreJson.Options), Encoding.UTF8, "application/json");
        }

        return await Reach(() => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct));
    }

    private async Task<HttpResponseMessage> Reach(Func<Task<HttpResponseMessage>> send)
    {
        try
        {
            return await send();
        }
        catch (HttpRequestException exception)
        {
            throw new CliException($"The server at https://localhost:{server.Port} does not answer: {exception.Message}. See: zaffre status");
        }
    }

    // A long-running PUT or DELETE is over when its status says so; then the resource is read again.
    private async Task<JsonObject> FollowAsync(HttpMethod method, string path, HttpResponseMessage response, JsonObject answer, CancellationToken ct)
    {
        if (!response.Headers.TryGetValues("Azure-AsyncOperation", out var urls) && !response.Headers.TryGetValues("Location", out urls))
        {
            return answer;
        }

        var status = await EndAsync(new Uri(urls.First()).PathAndQuery, ct);
        return method == HttpMethod.Put || method == HttpMethod.Patch ? await GetAsync(path, ct) : status;
    }

    /// <summary>Starts something long: the answer, and the path to poll for its end.</summary>
    public async Task<(JsonObject Answer, string Operation)> StartAsync(string path, JsonNode? body, CancellationToken ct)
    {
        using var response = await RequestAsync(HttpMethod.Post, path, body, ct);
        var answer = await ReadAsync(response, ct);
        return (answer, new Uri(response.Headers.GetValues("Azure-AsyncOperation").First()).PathAndQuery);
    }

    /// <summary>Waits for the end of an operation; throws what it says when it ended badly.</summary>
    public async Task<JsonObject> EndAsync(string operation, CancellationToken ct)
    {
        while (true)
        {
            using var poll = await RequestAsync(HttpMethod.Get, operation, null, ct);
            var status = await ReadAsync(poll, ct);
            if (poll.StatusCode == HttpStatusCode.Accepted || status.Text("status") is "InProgress")
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), ct);
                continue;
            }

            if (status.Text("status") is "Failed" or "Canceled")
            {
                throw new CliException(Describe(status));
            }

            return status;
        }
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var text = await response.Content.ReadAsStringAsync(ct);
        JsonNode? body;
        try
        {
            body = text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            body = null;
        }

        return response.IsSuccessStatusCode
            ? body as JsonObject ?? []
            : throw new CliException(body is JsonObject error ? Describe(error) : $"HTTP {(int)response.StatusCode} {response.ReasonPhrase}");
    }

    private static string Describe(JsonObject answer)
    {
        if (answer.Object("error") is not { } error)
        {
            return answer.ToJsonString(ZaffreJson.Options);
        }

        var details = (error["details"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        return details.Count == 0
            ? $"({error.Text("code")}) {Located(error)}"
            : $"({error.Text("code")}) {details.Count} problems:" + string.Concat(details.Select(detail => "\n  - " + Located(detail)));
    }

    private static string Located(JsonObject error) => error.Text("target") is { Length: > 0 } target && !error.Text("message")!.Contains(target, StringComparison.Ordinal)
        ? $"{target}: {error.Text("message")}"
        : error.Text("message") ?? "";

    private static SocketsHttpHandler Handler(string caFile)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        return new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
            ConnectCallback = async (context, ct) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, ct);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
    }
}
