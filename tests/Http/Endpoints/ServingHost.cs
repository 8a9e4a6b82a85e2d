using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Endpoints;
using Zaffre.Gateway;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Tests.Http.Workspaces;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Endpoints;

/// <summary>
/// The endpoints module over a real database and a real gateway, with real scoring workers outside any sandbox. Models and code are
/// folders of this machine; what lies below the module is played by small fakes.
/// </summary>
internal sealed class ServingHost : IAsyncDisposable
{
    private readonly CancellationTokenSource gatewayEnd = new();
    private readonly string root = Directory.CreateTempSubdirectory("zaffre-serving-").FullName;
    private readonly HttpClient scoring;
    private Task<int>? gateway;
    private WebApplication? app;
    private HttpClient? arm;

    private ServingHost()
    {
        Data = new DataDirectory(Path.Combine(root, "data"));
        var print = WriteCertificate();
        scoring = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == print } });
    }

    public DataDirectory Data { get; }

    public UnsandboxedLauncher Launcher { get; } = new();

    public HostPython Environments { get; } = new();

    public int GatewayPort { get; private set; }

    public static async Task<ServingHost> StartAsync()
    {
        var host = new ServingHost();
        var folder = ServingFolder.Open(host.Data);
        host.gateway = Task.Run(() => GatewayHost.RunAsync(new GatewayOptions { Data = host.Data, Port = 0 }, host.gatewayEnd.Token));
        using var control = new GatewayClient(folder);
        for (var i = 0; i < 400 && host.GatewayPort == 0; i++)
        {
            await Task.Delay(25);
            host.GatewayPort = (await control.FindAsync(default))?.Port ?? 0;
        }

        await host.StartServerAsync();
        return host;
    }

    public async Task StartServerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton(Data).AddSingleton(TimeProvider.System).AddSingleton<ISecretBox, SecretBox>();
        builder.Services.AddDatabase().AddWeb().AddResources().AddIdentity();
        builder.Services.AddSingleton<IAssets>(new LocalAssets(root)).AddSingleton<IUriResolver, LocalUris>().AddSingleton<IBlobStore>(new LocalBlobs(root));
        builder.Services.AddSingleton<IEnvironments>(Environments).AddSingleton<ITaskLauncher>(Launcher);
        builder.Services.AddSingleton(new ServingOptions { GatewayPort = GatewayPort, CertificateFile = Data.Path("tls", "server.pem"), KeyFile = Data.Path("tls", "server.key"), GatewayCommand = ["/bin/false"] });
        builder.Services.AddEndpoints();
        app = builder.Build();
        app.UseWeb();
        app.MapWeb();
        app.MapResources();
        app.MapIdentity();
        app.MapEndpoints();
        await app.StartAsync();
        await EnsureWorkspaceAsync();
        arm = app.GetTestServer().CreateClient();
        arm.BaseAddress = new Uri("https://localhost:8443");
        arm.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync());
    }

    /// <summary>Ends the server as a restart does; instances and gateway stay.</summary>
    public async Task StopServerAsync()
    {
        arm?.Dispose();
        await app!.StopAsync();
        await app.DisposeAsync();
        app = null;
    }

    public T Get<T>()
        where T : notnull => app!.Services.GetRequiredService<T>();

    /// <summary>Writes a code folder; its name is the code asset's.</summary>
    public void Code(string name, string script, params (string Name, string Text)[] others)
    {
        Directory.CreateDirectory(Path.Combine(root, "codes", name));
        foreach (var (other, text) in others)
        {
            File.WriteAllText(Path.Combine(root, "codes", name, other), text);
        }

        File.WriteAllText(Path.Combine(root, "codes", name, "score.py"), script);
    }

    /// <summary>Writes a model with one file <c>model.txt</c> in a folder <c>model</c>.</summary>
    public void Model(string name, string content)
    {
        Directory.CreateDirectory(Path.Combine(root, "models", name, "model"));
        File.WriteAllText(Path.Combine(root, "models", name, "model", "model.txt"), content);
    }

    /// <summary>Makes a model folder with a Python program that runs in it, then a shell line that damages it.</summary>
    public async Task MlflowModelAsync(string name, string program, string? damage = null)
    {
        var folder = Path.Combine(root, "models", name, "model");
        Directory.CreateDirectory(folder);
        foreach (var command in (string[][])[["/usr/bin/python3", "-c", program], .. damage is null ? (string[][])[] : [["/bin/sh", "-c", damage]]])
        {
            using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = folder })!;
            await process.WaitForExitAsync();
            Assert.Equal(0, process.ExitCode);
        }
    }

    /// <summary>A deployment of a model without code; waits for its operation.</summary>
    public async Task<JsonObject> DeployModelAsync(string endpoint, string deployment, string model)
    {
        await TrafficAsync(endpoint, "{}");
        var put = await PutModelAsync(endpoint, deployment, model);
        Assert.True(put.Status == HttpStatusCode.Created, put.Body.ToJsonString());
        return await FinishAsync(put.Body["operation"]!.GetValue<string>());
    }

    public Task<(HttpStatusCode Status, JsonObject Body)> PutModelAsync(string endpoint, string deployment, string model, JsonObject? more = null)
    {
        var properties = new JsonObject { ["endpointComputeType"] = "Managed", ["model"] = model };
        foreach (var (member, value) in more ?? [])
        {
            properties[member] = value?.DeepClone();
        }

        return ArmAsync(HttpMethod.Put, $"onlineEndpoints/{endpoint}/deployments/{deployment}", new JsonObject { ["location"] = "local", ["properties"] = properties }.ToJsonString());
    }

    /// <summary>Copies models of the tests to where the asset <paramref name="name"/> has its files: each source (without its ending, or a file) to a path below the folder.</summary>
    public void OnnxModel(string name, params (string Source, string Target)[] files)
    {
        foreach (var (source, target) in files)
        {
            var path = Path.Combine(root, "models", name, target);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(Path.Combine(Repository.OnnxModels, source), path);
        }
    }

    /// <summary>Writes a file of a model; a text of a test.</summary>
    public void ModelFile(string name, string target, string text)
    {
        var path = Path.Combine(root, "models", name, target);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    public async Task<string> LogAsync(string endpoint, string deployment, string container = "InferenceServer") =>
        (await ArmAsync(HttpMethod.Post, $"onlineEndpoints/{endpoint}/deployments/{deployment}/getLogs", $$"""{"tail":200,"containerType":"{{container}}"}""")).Body["content"]!.GetValue<string>();

    public async Task<(HttpStatusCode Status, JsonObject Body)> ArmAsync(HttpMethod method, string path, string? body = null)
    {
        var workspace = new WorkspaceRef(Get<LocalOwner>().SubscriptionId, "zaffre", "main");
        using var request = new HttpRequestMessage(method, new Uri($"{workspace.Id}/{path}?api-version=2024-10-01", UriKind.Relative));
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        using var answer = await arm!.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        var json = text.Length == 0 ? [] : (JsonObject)JsonNode.Parse(text)!;
        if (answer.Headers.TryGetValues("Azure-AsyncOperation", out var operation))
        {
            json["operation"] = operation.Single();
        }

        return (answer.StatusCode, json);
    }

    /// <summary>Makes an endpoint and one deployment, and waits for its operation; returns the operation's answer.</summary>
    public async Task<JsonObject> DeployAsync(string endpoint, string deployment, string code, string? model = null, int instances = 1, JsonObject? more = null)
    {
        if ((await ArmAsync(HttpMethod.Get, $"onlineEndpoints/{endpoint}")).Status == HttpStatusCode.NotFound)
        {
            await TrafficAsync(endpoint, "{}");
        }

        var body = new JsonObject
        {
            ["location"] = "local",
            ["sku"] = new JsonObject { ["name"] = "Default", ["capacity"] = instances },
            ["properties"] = new JsonObject
            {
                ["endpointComputeType"] = "Managed",
                ["model"] = model,
                ["codeConfiguration"] = new JsonObject { ["codeId"] = code, ["scoringScript"] = "score.py" },
            },
        };
        foreach (var (member, value) in more ?? [])
        {
            body["properties"]![member] = value?.DeepClone();
        }

        var put = await ArmAsync(HttpMethod.Put, $"onlineEndpoints/{endpoint}/deployments/{deployment}", body.ToJsonString());
        Assert.True(put.Status is HttpStatusCode.Created or HttpStatusCode.OK, put.Body.ToJsonString());
        return await FinishAsync(put.Body["operation"]!.GetValue<string>());
    }

    public async Task<(HttpStatusCode Status, string Body)> MetricsAsync(bool anonymous = false)
    {
        using var nobody = app!.GetTestServer().CreateClient();
        nobody.BaseAddress = arm!.BaseAddress;
        using var answer = await (anonymous ? nobody : arm).GetAsync(new Uri("/metrics", UriKind.Relative));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Sets live and mirrored traffic; the members that are refused.</summary>
    public async Task<string[]> RefusedAsync(string endpoint, string traffic, string mirror)
    {
        var body = $$$"""{"location":"local","properties":{"authMode":"Key","traffic":{{{traffic}}},"mirrorTraffic":{{{mirror}}}}}""";
        var answer = await ArmAsync(HttpMethod.Put, $"onlineEndpoints/{endpoint}", body);
        return answer.Status == HttpStatusCode.BadRequest ? answer.Targets() : [];
    }

    public Task<(HttpStatusCode Status, JsonObject Body)> TrafficAsync(string endpoint, string traffic) => ArmAsync(
        HttpMethod.Put,
        $"onlineEndpoints/{endpoint}",
        new JsonObject { ["location"] = "local", ["properties"] = new JsonObject { ["authMode"] = "Key", ["traffic"] = JsonNode.Parse(traffic) } }.ToJsonString());

    public async Task<JsonObject> FinishAsync(string operation)
    {
        for (var i = 0; i < 400; i++)
        {
            var answer = JsonNode.Parse(await arm!.GetStringAsync(new Uri(operation)))!.AsObject();
            if (answer["status"]!.GetValue<string>() != "InProgress")
            {
                return answer;
            }

            await Task.Delay(25);
        }

        throw new TimeoutException("The operation did not end within 10 s.");
    }

    public async Task<string> KeyAsync(string endpoint) =>
        (await ArmAsync(HttpMethod.Post, $"onlineEndpoints/{endpoint}/listKeys")).Body["primaryKey"]!.GetValue<string>();

    public async Task<(HttpStatusCode Status, string Body)> ScoreAsync(string endpoint, string key, string body = "{}", string route = "score", string type = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://localhost:{GatewayPort}/{endpoint}/{route}") { Content = new StringContent(body, Encoding.UTF8, type) };
        return await SendAsync(request, key);
    }

    /// <summary>Posts bytes and gives the whole answer, which the caller disposes.</summary>
    public async Task<HttpResponseMessage> PostBytesAsync(string endpoint, string key, string route, (byte[] Body, int HeadLength) content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://localhost:{GatewayPort}/{endpoint}/{route}") { Content = new ByteArrayContent(content.Body) };
        request.Content.Headers.Add("Inference-Header-Content-Length", content.HeadLength.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await scoring.SendAsync(request);
    }

    public async Task<(HttpStatusCode Status, string Body)> ReadAsync(string endpoint, string key, string route)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://localhost:{GatewayPort}/{endpoint}/{route}");
        return await SendAsync(request, key);
    }

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpRequestMessage request, string key)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await scoring.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await StopServerAsync();
        }

        await gatewayEnd.CancelAsync();
        await gateway!;
        Launcher.Dispose();
        scoring.Dispose();
        gatewayEnd.Dispose();
        Directory.Delete(ServingFolder.Open(Data).Root, recursive: true);
        Directory.Delete(root, recursive: true);
    }

    private async Task EnsureWorkspaceAsync()
    {
        var id = new WorkspaceRef(Get<LocalOwner>().SubscriptionId, "zaffre", "main").Id;
        var resources = Get<IResources>();
        if (await resources.FindAsync(id, default) is null)
        {
            await Get<IDatabase>().WriteAsync(scope => resources.Put(scope, id, new JsonObject { ["location"] = "local" }, Caller.System), default);
        }
    }

    /// <summary>A token of the principal, the owner when none is given.</summary>
    public async Task<string> TokenAsync(string scope = "https://management.azure.com/.default", CreatedPrincipal? principal = null)
    {
        var owner = Get<LocalOwner>();
        using var client = app!.GetTestServer().CreateClient();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = principal?.Principal.ClientId ?? owner.ClientId,
            ["client_secret"] = principal?.ClientSecret ?? owner.ClientSecret,
            ["scope"] = scope,
        });
        using var answer = await client.PostAsync(new Uri($"https://localhost:8443/{owner.TenantId}/oauth2/v2.0/token"), form);
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["access_token"]!;
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
