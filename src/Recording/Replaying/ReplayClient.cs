using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Kernel;

namespace Zaffre.Recording.Replaying;

/// <summary>What came back for a replayed request.</summary>
internal sealed record Came(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>Sends recorded requests as the owner of the target, whatever host they name.</summary>
internal sealed partial class ReplayClient : IDisposable
{
    private static readonly TimeSpan AbortedAfter = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, string> tokens = new(StringComparer.Ordinal);
    private readonly ReplayTarget target;
    private readonly RequestBodies bodies;
    private readonly HttpClient http;

    public ReplayClient(ReplayTarget target)
    {
        this.target = target;
        Bindings = new Bindings(target);
        bodies = new RequestBodies(Bindings);
        http = new HttpClient(Handler()) { Timeout = TimeSpan.FromMinutes(5) };
    }

    public Bindings Bindings { get; }

    public async Task<Came> SendAsync(Exchange exchange, CancellationToken ct)
    {
        using var request = await RequestAsync(exchange.Request, ct);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (exchange.Answer.Aborted)
        {
            limit.CancelAfter(AbortedAfter);
        }

        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        var headers = answer.Headers.Concat(answer.Content.Headers).ToDictionary(header => header.Key.ToLowerInvariant(), header => string.Join(", ", header.Value), StringComparer.Ordinal);
        return new Came((int)answer.StatusCode, headers, exchange.Answer.Aborted ? [] : await answer.Content.ReadAsByteArrayAsync(ct));
    }

    /// <summary>Whether the client made a signature of its own and was refused: which rights it had signed is not recorded.</summary>
    public bool CannotRepeat(Exchange exchange) => exchange.Answer.Status is 401 or 403 && Unbound(exchange.Request.Target);

    public void Dispose() => http.Dispose();

    private async Task<HttpRequestMessage> RequestAsync(RecordedRequest recorded, CancellationToken ct)
    {
        var unsigned = Unbound(recorded.Target);
        var host = Bindings.Fill(recorded.Host);
        var path = Bindings.Fill(unsigned ? SasParameter().Replace(recorded.Target, "").TrimEnd('?', '&') : recorded.Target, null);
        var uri = new Uri($"https://{host}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(new HttpMethod(recorded.Method), uri) { Content = bodies.Of(recorded) };
        foreach (var (name, value) in recorded.Headers.Where(header => header.Key is not ("authorization" or "x-ms-content-crc64") && !RequestBodies.IsContentHeader(header.Key) && header.Value != "{md5}"))
        {
            request.Headers.TryAddWithoutValidation(name, Bindings.Fill(value));
        }

        if (await AuthorizationAsync(recorded, host, unsigned, ct) is { } authorization)
        {
            request.Headers.TryAddWithoutValidation("authorization", authorization);
        }

        if (recorded.Headers.ContainsKey("x-ms-version") || recorded.Headers.ContainsKey("x-ms-blob-type"))
        {
            request.Headers.TryAddWithoutValidation("x-ms-date", TimeProvider.System.GetUtcNow().ToString("R"));
        }

        return request;
    }

    // A signature that no answer brought was made with a key: the owner's token does the same.
    private bool Unbound(string recorded) => SasParameter().Match(recorded) is { Success: true } match && Bindings.Find(match.Groups["sas"].Value) is null;

    private async Task<string?> AuthorizationAsync(RecordedRequest recorded, string host, bool unsigned, CancellationToken ct)
    {
        var value = recorded.Headers.GetValueOrDefault("authorization");
        var blob = host.Contains(".blob.core.", StringComparison.OrdinalIgnoreCase) || host.Contains(".dfs.core.", StringComparison.OrdinalIgnoreCase) || recorded.Target.StartsWith("/blobz/", StringComparison.Ordinal);
        if (value is null)
        {
            return unsigned ? "Bearer " + await TokenAsync(storage: true, ct) : null;
        }

        var rest = value[(value.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        if (value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return Bindings.KindOf(rest) == "token" && Bindings.Find(rest) is null ? "Bearer " + await TokenAsync(blob, ct) : Bindings.Fill(value);
        }

        return value.StartsWith("SharedKey", StringComparison.OrdinalIgnoreCase) ? "Bearer " + await TokenAsync(storage: true, ct) : Bindings.Fill(value);
    }

    private async Task<string> TokenAsync(bool storage, CancellationToken ct)
    {
        var scope = storage ? "https://storage.azure.com/.default" : "https://management.azure.com/.default";
        if (tokens.TryGetValue(scope, out var known))
        {
            return known;
        }

        using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("client_id", target.ClientId), new("client_secret", target.ClientSecret), new("scope", scope)]);
        using var answer = await http.PostAsync(new Uri(target.Url, $"/{target.TenantId}/oauth2/v2.0/token"), form, ct);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(ct)) as JsonObject ?? [];
        return tokens[scope] = body.Text("access_token") ?? throw new HttpRequestException($"The server refused the owner's sign-in: {body.Text("error_description")}");
    }

    private SocketsHttpHandler Handler()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(target.CaFile);
        return new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
            ConnectCallback = async (_, ct) =>
            {
                var client = new TcpClient { NoDelay = true };
                try
                {
                    await client.ConnectAsync(target.Url.Host, target.Url.Port, ct);
                    return client.GetStream();
                }
                catch
                {
                    client.Dispose();
                    throw;
                }
            },
        };
    }

    [GeneratedRegex(@"(?<=[?&])(?<sas>\{sas:\d+\})", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SasParameter();
}
