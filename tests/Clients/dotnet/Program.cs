using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;

// Azure.Identity as any program uses it, in the environment of `zaffre exec`: tokens, an ARM call with one, and the mistakes that people make.
string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? "";
var (tenant, id, secret) = (Variable("AZURE_TENANT_ID"), Variable("AZURE_CLIENT_ID"), Variable("AZURE_CLIENT_SECRET"));
var authority = Variable("AZURE_AUTHORITY_HOST");
var direct = authority.Length > 0;
var arm = direct ? authority : "https://management.azure.com";
var scope = new TokenRequestContext([arm + "/.default"]);
var workspace = $"{arm}/subscriptions/{Variable("AZURE_SUBSCRIPTION_ID")}/resourceGroups/{Variable("ZAFFRE_RESOURCE_GROUP")}"
    + $"/providers/Microsoft.MachineLearningServices/workspaces/{Variable("ZAFFRE_WORKSPACE")}?api-version=2024-10-01";
using var http = new HttpClient();

await StepAsync("client_secret", async () =>
{
    await CheckAsync(new ClientSecretCredential(tenant, id, secret, Options()));
    Behaves("ClientSecretCredential");
});
await StepAsync("default_and_environment", async () =>
{
    await CheckAsync(new EnvironmentCredential(new EnvironmentCredentialOptions { DisableInstanceDiscovery = direct }));
    await CheckAsync(new DefaultAzureCredential(new DefaultAzureCredentialOptions { DisableInstanceDiscovery = direct }));
    Behaves("EnvironmentCredential", "DefaultAzureCredential");
});
await StepAsync("azure_cli", async () =>
{
    Environment.SetEnvironmentVariable("AZURE_CONFIG_DIR", Directory.CreateTempSubdirectory("zaffre-az-").FullName);
    if (direct)
    {
        await AzAsync("cloud", "set", "-n", "AzureLocal");
    }

    await AzAsync("login", "--service-principal", "-u", id, "-p=" + secret, "--tenant", tenant);

    // Each token is another run of the CLI.
    await CheckAsync(new AzureCliCredential(new AzureCliCredentialOptions { ProcessTimeout = TimeSpan.FromMinutes(1) }));
    Behaves("AzureCliCredential");
    await AzAsync("account", "clear");
});
await StepAsync("mistakes", async () =>
{
    await RefusedAsync(new ClientSecretCredential(tenant, id, "wrong", Options()), "AADSTS7000215", "Invalid client secret");
    await RefusedAsync(new ClientSecretCredential(tenant, Guid.NewGuid().ToString(), secret, Options()), "AADSTS700016", "was not found in the directory");
    var wrong = Guid.NewGuid().ToString();
    await RefusedAsync(new ClientSecretCredential(wrong, id, secret, Options()), "AADSTS90002", wrong);
});
return;

// MSAL.NET looks the authority of tenant `adfs` up without its port, so a custom cloud takes this one option in the code.
ClientSecretCredentialOptions Options() => new() { DisableInstanceDiscovery = direct };

static async Task AzAsync(params string[] words)
{
    using var az = Process.Start(new ProcessStartInfo("az", [.. words, "-o", "none"]) { UseShellExecute = false, RedirectStandardError = true })!;
    var error = await az.StandardError.ReadToEndAsync();
    await az.WaitForExitAsync();
    Require(az.ExitCode == 0, error);
}

async Task CheckAsync(TokenCredential credential)
{
    var token = await credential.GetTokenAsync(scope, default);
    Require(token.ExpiresOn > DateTimeOffset.UtcNow.AddMinutes(1), "the token lasts");
    Require((await credential.GetTokenAsync(scope, default)).Token == token.Token, "the second token comes from the cache");
    using var request = new HttpRequestMessage(HttpMethod.Get, workspace);
    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Token);
    using var answer = await http.SendAsync(request);
    using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
    Require(answer.StatusCode == HttpStatusCode.OK && body.RootElement.GetProperty("name").GetString() == Variable("ZAFFRE_WORKSPACE"), body.RootElement.ToString());
}

async Task RefusedAsync(TokenCredential credential, params string[] words)
{
    var began = Stopwatch.StartNew();
    try
    {
        await credential.GetTokenAsync(scope, default);
    }
    catch (AuthenticationFailedException refusal)
    {
        foreach (var word in words)
        {
            Require(refusal.ToString().Contains(word, StringComparison.Ordinal), refusal.ToString());
        }

        Require(began.Elapsed < TimeSpan.FromSeconds(10), string.Create(CultureInfo.InvariantCulture, $"refused after {began.Elapsed}"));
        return;
    }

    throw new InvalidOperationException("a token was issued: " + string.Join(' ', words));
}

static async Task StepAsync(string name, Func<Task> work)
{
    await work();
    Console.WriteLine("ok " + name);
}

static void Require(bool condition, string message)
{
    if (!condition)
    {
        throw new InvalidOperationException(message);
    }
}

void Behaves(params string[] operations)
{
    if (Variable("ZAFFRE_COMPATIBILITY") is { Length: > 0 } file)
    {
        var version = Assembly.Load("Azure.Identity").GetName().Version!.ToString(3);
        File.AppendAllLines(file, operations.Select(operation => $"Azure.Identity {version}\t{operation} ({(direct ? "direct, DisableInstanceDiscovery" : "proxy")})\tbehaves"));
    }
}
