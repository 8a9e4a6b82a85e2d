using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary>The local server as an ordinary client sees it: trusts the data directory's CA and nothing else, and uses no proxy.</summary>
internal sealed class LocalClient : IDisposable
{
    private readonly HttpClient http;

    public LocalClient(DataDirectory data, ServerState state)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(data.Path("tls", "ca.pem")));
        http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
        })
        {
            BaseAddress = new Uri(state.Url),
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    /// <summary>Returns when the server says that it is ready.</summary>
    public async Task WaitUntilReadyAsync(CancellationToken ct)
    {
        while (true)
        {
            using var answer = await http.GetAsync(new Uri("/readyz", UriKind.Relative), ct);
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            await Task.Delay(50, ct);
        }
    }

    /// <summary>A token of the local owner for a resource.</summary>
    public async Task<string> TokenAsync(Owner owner, string resource, TimeSpan lifetime, CancellationToken ct)
    {
        var answer = await ReadAsync(
            await http.PostAsync(
                new Uri($"/{owner.TenantId}/oauth2/v2.0/token", UriKind.Relative),
                new FormUrlEncodedContent(new Dictionary<string, string>
                {
                    ["grant_type"] = "client_credentials",
                    ["client_id"] = owner.ClientId,
                    ["client_secret"] = owner.ClientSecret,
                    ["scope"] = resource + "/.default",
                    ["zaffre_lifetime"] = ((int)lifetime.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture),
                }),
                ct),
            ct);
        return answer.Text("access_token")!;
    }

    /// <summary>Sends a request as the owner; throws <see cref="VerbException"/> with the server's words when it refuses.</summary>
    public async Task<JsonObject> SendAsync(Owner owner, HttpMethod method, string path, JsonObject? body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(owner, "https://management.azure.com", TimeSpan.FromMinutes(5), ct));
        return await ReadAsync(await http.SendAsync(request, ct), ct);
    }

    public void Dispose() => http.Dispose();

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync(ct);
            var body = text.Length == 0 ? [] : JsonNode.Parse(text) as JsonObject ?? [];
            return answer.IsSuccessStatusCode
                ? body
                : throw new VerbException(body.Object("error")?.Text("message") ?? body.Text("error_description") ?? $"the server answered {(int)answer.StatusCode}");
        }
    }
}

/// <summary>Something the user can act on; printed as one message, exit code 1.</summary>
internal sealed class VerbException(string message) : Exception(message);
