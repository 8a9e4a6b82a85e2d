using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Zaffre.Gateway;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Gateway;

/// <summary>A gateway in this process and real scoring workers outside any sandbox, on free ports and a data directory of their own.</summary>
internal sealed class ScoringRig : IAsyncDisposable
{
    public const string Key = "a-key-that-is-long-enough-for-anybody";
    private readonly List<Process> workers = [];
    private readonly HttpClient client;
    private CancellationTokenSource? running;
    private Task<int>? gateway;
    private long version;

    public ScoringRig()
    {
        Root = Directory.CreateTempSubdirectory("zaffre-gateway-").FullName;
        Data = new DataDirectory(Path.Combine(Root, "data"));
        Folder = ServingFolder.Open(Data);
        CertificateHash = WriteCertificate();
        client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == CertificateHash },
            PooledConnectionLifetime = TimeSpan.Zero,
        });
    }

    public string Root { get; }

    public string CertificateHash { get; }

    public DataDirectory Data { get; }

    public ServingFolder Folder { get; }

    public int Port { get; private set; }

    public async Task StartGatewayAsync()
    {
        running = new CancellationTokenSource();
        File.Delete(Folder.ReadyFile);
        gateway = Task.Run(() => GatewayHost.RunAsync(new GatewayOptions { Data = Data, Port = 0 }, running.Token));
        using var control = new GatewayClient(Folder);
        for (var i = 0; i < 400; i++)
        {
            if (File.Exists(Folder.ReadyFile) && await control.FindAsync(CancellationToken.None) is { } status)
            {
                Port = status.Port;
                return;
            }

            Assert.False(gateway.IsCompleted, "the gateway ended");
            await Task.Delay(25);
        }

        Assert.Fail("the gateway did not answer within 10 s");
    }

    public async Task StopGatewayAsync()
    {
        await running!.CancelAsync();
        await gateway!;
        running.Dispose();
        running = null;
    }

    /// <summary>Starts an instance whose entry script is <paramref name="script"/> and waits until it is ready.</summary>
    public async Task<WorkerRoute> StartWorkerAsync(string script, int concurrency = 1, bool expectFailure = false, params (string Name, string Text)[] files)
    {
        var id = $"w{workers.Count}";
        var code = Path.Combine(Root, id + "-code");
        Directory.CreateDirectory(code);
        await File.WriteAllTextAsync(Path.Combine(code, "score.py"), script);
        foreach (var (name, text) in files)
        {
            await File.WriteAllTextAsync(Path.Combine(code, name), text);
        }

        var sockets = Folder.Worker(id);
        Directory.CreateDirectory(sockets);
        var start = new ProcessStartInfo("/usr/bin/python3", Repository.Path("python/serving/worker.py")) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["ZAFFRE_WORKER_FOLDER"] = sockets;
        start.Environment["ZAFFRE_WORKER_CONCURRENCY"] = $"{concurrency}";
        start.Environment["AML_APP_ROOT"] = code;
        start.Environment["AZUREML_ENTRY_SCRIPT"] = "score.py";
        start.Environment["PYTHONPATH"] = Repository.Path("python/standins");
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        workers.Add(process);
        for (var i = 0; i < 400 && !Path.Exists(Path.Combine(sockets, expectFailure ? "failed" : "s.sock")); i++)
        {
            await Task.Delay(25);
        }

        return new WorkerRoute(id, sockets);
    }

    /// <summary>Waits until the workers' log holds the text: lines pass through a pipe, so they may come after the answer.</summary>
    public async Task LogHoldsAsync(string text)
    {
        for (var waited = 0; !Log.Contains(text, StringComparison.Ordinal) && waited < 30_000; waited += 20)
        {
            await Task.Delay(20);
        }

        Assert.Contains(text, Log, StringComparison.Ordinal);
    }

    public string Log
    {
        get
        {
            lock (log)
            {
                return log.ToString();
            }
        }
    }

    public void KillWorker(int index) => workers[index].Kill(entireProcessTree: true);

    public Task PushAsync(string endpoint, Dictionary<string, int> traffic, params DeploymentRoute[] deployments) => PushAsync(new EndpointRoute(endpoint, EndpointAuthentication.Key)
    {
        Epoch = "1",
        KeyHashes = [Hash(Key)],
        Traffic = traffic,
        Deployments = deployments,
    });

    public async Task PushAsync(params EndpointRoute[] endpoints)
    {
        using var control = new GatewayClient(Folder);
        await control.PushAsync(new RoutingTable { Version = ++version, Endpoints = endpoints }, CancellationToken.None);
    }

    public async Task<IReadOnlyList<DeploymentCounters>> CountersAsync()
    {
        using var control = new GatewayClient(Folder);
        return await control.CountersAsync(CancellationToken.None);
    }

    public async Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> PostAsync(
        string path, string body, string? key = Key, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://localhost:{Port}/{path}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + key);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var answer = await client.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer);
    }

    public async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://localhost:{Port}/{path}");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Key);
        using var answer = await client.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Posts and returns as soon as the head of the answer is there.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://localhost:{Port}/{path}") { Content = new StringContent(body) };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Key);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Waits for a file that a script writes.</summary>
    public async Task AppearsAsync(string path)
    {
        for (var waited = 0; !File.Exists(path) && waited < 30_000; waited += 20)
        {
            await Task.Delay(20);
        }

        Assert.True(File.Exists(path), $"{path} never appeared");
    }

    public async ValueTask DisposeAsync()
    {
        if (running is not null)
        {
            await StopGatewayAsync();
        }

        foreach (var worker in workers)
        {
            if (!worker.HasExited)
            {
                worker.Kill(entireProcessTree: true);
            }

            worker.Dispose();
        }

        client.Dispose();
        Directory.Delete(Folder.Root, recursive: true);
        Directory.Delete(Root, recursive: true);
    }

    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private readonly StringBuilder log = new();

    private void Append(string? line)
    {
        lock (log)
        {
            log.AppendLine(line);
        }
    }

    private string WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        Directory.CreateDirectory(Data.Path("tls"));
        File.WriteAllText(Data.Path("tls", "server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Data.Path("tls", "server.key"), key.ExportPkcs8PrivateKeyPem());
        return certificate.GetCertHashString();
    }
}
