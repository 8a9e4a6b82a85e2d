using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Zaffre.Tests.Clients;

/// <summary>A real server process on picked ports, in a data directory of its own, for the tests of a collection. The collections run side by side:
/// most of a client's time is its own start and its own waits.</summary>
public sealed class ZaffreServer : IAsyncLifetime
{
    /// <summary>The collection of jobs, computes and endpoints.</summary>
    public const string OfJobs = "server of jobs";

    /// <summary>The collection of assets, storage, workspaces, and the clients other than the SDK.</summary>
    public const string OfAssets = "server of assets";

    /// <summary>The collection of ways to connect, and of mistakes.</summary>
    public const string OfConnections = "server of connections";

    private readonly string folder;

    public ZaffreServer()
    {
        folder = Directory.CreateTempSubdirectory("zaffre-clients-").FullName;

        // A job's user, who is not the server's, crosses this folder.
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Data = Path.Combine(folder, "data");
    }

    /// <summary>The data directory.</summary>
    public string Data { get; }

    /// <summary>The base URL of the control plane.</summary>
    public Uri Url => new(State.GetProperty("url").GetString()!);

    /// <summary>What the server wrote into <c>run/server.json</c>.</summary>
    public JsonElement State => Read("run", "server.json");

    /// <summary>What is in <c>keys/owner.json</c>.</summary>
    public JsonElement Owner => Read("keys", "owner.json");

    /// <summary>The subscription's resource id.</summary>
    public string Subscription => "/subscriptions/" + Owner.GetProperty("subscriptionId").GetString();

    /// <summary>The resource id of workspace <c>main</c>.</summary>
    public string Workspace => Subscription + "/resourceGroups/zaffre/providers/Microsoft.MachineLearningServices/workspaces/main";

    public Task InitializeAsync() => StartAsync();

    public async Task DisposeAsync()
    {
        await ZaffreAsync("down");
        await DeleteAsync(folder);
    }

    // The scoring workers end after the server, and write until then.
    internal static async Task DeleteAsync(string folder)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 40)
            {
                await Task.Delay(250);
            }
        }
    }

    /// <summary><c>zaffre up --detach</c> on picked ports.</summary>
    public async Task StartAsync(params string[] more) => (await ZaffreAsync(["up", "--port", "0", "--detach", .. more])).Succeeded();

    /// <summary>Kills the server's process as a crash would.</summary>
    public async Task KillAsync()
    {
        var pid = State.GetProperty("pid").GetInt32().ToString(CultureInfo.InvariantCulture);
        (await ZaffreBinary.RunProgramAsync("/bin/kill", ["-9", pid])).Succeeded();
        for (var wait = 0; wait < 400 && IsAlive("/proc/" + pid); wait++)
        {
            await Task.Delay(25);
        }
    }

    // What nobody reaps keeps its folder, and one thread at most.
    private static bool IsAlive(string process)
    {
        try
        {
            return !File.ReadAllText(Path.Combine(process, "stat")).Contains(") Z ", StringComparison.Ordinal) || Directory.GetDirectories(Path.Combine(process, "task")).Length > 1;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Runs a verb on this server's data directory.</summary>
    public Task<CommandResult> ZaffreAsync(params string[] arguments) => ZaffreBinary.RunAsync([.. arguments, "--data", Data]);

    /// <summary>Runs a command with the client's environment, as <c>zaffre exec</c> sets it.</summary>
    public Task<CommandResult> ExecAsync(IEnumerable<string> command, IReadOnlyDictionary<string, string?>? environment = null, string mode = "proxy") =>
        ZaffreBinary.RunAsync(["exec", "--data", Data, "--mode", mode, "--", .. command], environment);

    /// <summary>Runs <c>tests/Clients/python/{script}</c> with a version of the SDK, in the environment that a user of <paramref name="mode"/> has; fails when it fails.</summary>
    public async Task<string> PythonAsync(Sdk sdk, string mode, string script, params string[] arguments) => (await TryPythonAsync(sdk, mode, script, arguments)).Succeeded().Output;

    /// <summary>As <see cref="PythonAsync(Sdk, string, string, string[])"/>, for scripts that are to fail.</summary>
    public Task<CommandResult> TryPythonAsync(Sdk sdk, string mode, string script, params string[] arguments) => ExecAsync(
        [.. sdk.Command(), Path.Combine(ZaffreBinary.Python, script), .. arguments],
        new Dictionary<string, string?> { ["PYTHONPATH"] = sdk.PythonPath(), ["PYTHONDONTWRITEBYTECODE"] = "1" },
        mode);

    /// <summary>The steps that a script reported with lines <c>ok STEP</c>, in order.</summary>
    public async Task<string[]> StepsAsync(Sdk sdk, string mode, string script, params string[] arguments) =>
        [.. (await PythonAsync(sdk, mode, script, arguments)).Split('\n').Where(l => l.StartsWith("ok ", StringComparison.Ordinal)).Select(l => l[3..].Trim())];

    /// <summary>As <see cref="StepsAsync(Sdk, string, string, string[])"/>, for any command in the environment of <paramref name="mode"/>; fails when it fails.</summary>
    public async Task<string[]> StepsAsync(string mode, params string[] command) =>
        [.. (await ExecAsync(command, mode: mode)).Succeeded().Output.Split('\n').Where(l => l.StartsWith("ok ", StringComparison.Ordinal)).Select(l => l[3..].Trim())];

    /// <summary>An HTTP client of the control plane that trusts the server's CA and nothing else.</summary>
    public HttpClient Client(string? token = null)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Data, "tls", "ca.pem")));
        var client = new HttpClient(new LostConnections(new SocketsHttpHandler { UseProxy = false, SslOptions = { CertificateChainPolicy = policy } })) { BaseAddress = Url };
        if (token is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return client;
    }

    /// <summary>A token of the local owner.</summary>
    public async Task<string> TokenAsync() => (await ZaffreAsync("token")).Succeeded().Output.Trim();

    private JsonElement Read(params ReadOnlySpan<string> parts) => JsonDocument.Parse(File.ReadAllText(Path.Combine([Data, .. parts]))).RootElement;
}

[CollectionDefinition(ZaffreServer.OfJobs)]
public sealed class JobsServer : ICollectionFixture<ZaffreServer>;

[CollectionDefinition(ZaffreServer.OfAssets)]
public sealed class AssetsServer : ICollectionFixture<ZaffreServer>;

[CollectionDefinition(ZaffreServer.OfConnections)]
public sealed class ConnectionsServer : ICollectionFixture<ZaffreServer>;
