using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Zaffre.Benchmarks.Core;

/// <summary>Submits command jobs over HTTPS as the owner, as an SDK would, and watches them with the same connection.</summary>
internal sealed class JobClient : IDisposable
{
    private const string ApiVersion = "api-version=2022-10-01-preview";

    private static readonly string[] Started = ["Running", "Finalizing", "Completed"];

    private readonly HttpClient client;
    private readonly string workspace;

    private JobClient(HttpClient client, string workspace) => (this.client, this.workspace) = (client, workspace);

    /// <summary>Takes address, certificates and credential from what <c>zaffre exec</c> gives to every client.</summary>
    public static async Task<JobClient> ConnectAsync(ZaffreServer server)
    {
        var variables = (await server.RunAsync("exec", "--", "env"))
            .Split('\n')
            .Select(line => line.Split('=', 2))
            .Where(pair => pair.Length == 2)
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        var authority = new Uri(variables["MLFLOW_TRACKING_URI"]).GetLeftPart(UriPartial.Authority);
        var client = new HttpClient(Handler(variables["SSL_CERT_FILE"])) { BaseAddress = new Uri(authority) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(client, variables));
        var workspace = $"/subscriptions/{variables["AZURE_SUBSCRIPTION_ID"]}/resourceGroups/{variables["ZAFFRE_RESOURCE_GROUP"]}"
            + $"/providers/Microsoft.MachineLearningServices/workspaces/{variables["ZAFFRE_WORKSPACE"]}";
        var jobs = new JobClient(client, workspace);
        await jobs.PutAsync("environments/bench/versions/1", """{"properties":{"image":"python"}}""");
        return jobs;
    }

    /// <summary>From the 201 of the job to the first answer that says it runs, and to the first that says it is completed; <paramref name="more"/> continues its properties.</summary>
    public async Task<(double Running, double Completed)> RunTrueAsync(string name, string more = "")
    {
        await PutJobAsync(name, "\"command\":\"true\"" + more);
        var accepted = Stopwatch.GetTimestamp();
        double? running = null;
        while (true)
        {
            var status = await StatusAsync(name);
            var elapsed = Stopwatch.GetElapsedTime(accepted).TotalMilliseconds;
            running ??= Started.Contains(status, StringComparer.Ordinal) ? elapsed : null;
            if (status == "Completed")
            {
                return (running!.Value, elapsed);
            }

            if (status is "Failed" or "Canceled")
            {
                throw new InvalidOperationException($"{name} ended as {status}.");
            }
        }
    }

    public void Dispose() => client.Dispose();

    /// <summary>The authorized client below it, at the root of the server.</summary>
    public HttpClient Http => client;

    /// <summary>The id of the environment that every job of a benchmark has.</summary>
    public string EnvironmentId => $"{workspace}/environments/bench/versions/1";

    /// <summary>The id of the workspace.</summary>
    public string Workspace => workspace;

    /// <summary>Creates a command job of the given properties, beside environment and experiment.</summary>
    public Task PutJobAsync(string name, string properties) =>
        PutAsync($"jobs/{name}", $$$"""{"properties":{"jobType":"Command","experimentName":"bench","environmentId":"{{{EnvironmentId}}}",{{{properties}}}}}""");

    /// <summary>Asks again and again, with nothing else between, until the job has ended; throws unless it is completed.</summary>
    public async Task EndAsync(string name)
    {
        while (await StatusAsync(name) is var status && status != "Completed")
        {
            if (status is "Failed" or "Canceled")
            {
                throw new InvalidOperationException($"{name} ended as {status}.");
            }

            await Task.Delay(4);
        }
    }

    /// <summary>Asks for the end of a job.</summary>
    public async Task CancelAsync(string name)
    {
        using var answer = await client.PostAsync(new Uri($"{workspace}/jobs/{name}/cancel?{ApiVersion}", UriKind.Relative), content: null);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>The answer to a GET below the workspace; <paramref name="path"/> may have a query.</summary>
    public async Task<JsonObject> GetAsync(string path) =>
        (await client.GetFromJsonAsync<JsonObject>(new Uri($"{workspace}/{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{ApiVersion}", UriKind.Relative)))!;

    public async Task<string?> StatusAsync(string name) => (string?)(await GetAsync($"jobs/{name}"))["properties"]?["status"];

    public async Task PutAsync(string path, string body)
    {
        using var content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        using var answer = await client.PutAsync(new Uri($"{workspace}/{path}?{ApiVersion}", UriKind.Relative), content);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"PUT {path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }

    private static SocketsHttpHandler Handler(string bundle)
    {
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPemFile(bundle);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(trusted);
        return new SocketsHttpHandler { UseProxy = false, SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy } };
    }

    private static async Task<string> TokenAsync(HttpClient client, Dictionary<string, string> variables)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = variables["AZURE_CLIENT_ID"],
            ["client_secret"] = variables["AZURE_CLIENT_SECRET"],
            ["scope"] = "https://management.azure.com/.default",
        });
        using var answer = await client.PostAsync(new Uri($"/{variables["AZURE_TENANT_ID"]}/oauth2/v2.0/token", UriKind.Relative), form);
        answer.EnsureSuccessStatusCode();
        return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["access_token"]!;
    }
}
