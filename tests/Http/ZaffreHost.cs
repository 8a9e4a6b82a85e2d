using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Recording;
using Zaffre.Server;
using Zaffre.Web;

namespace Zaffre.Tests.Http;

/// <summary>The whole server in this process, over a real SQLite file in a folder of its own, without sockets. One per test class (IClassFixture).</summary>
public sealed class ZaffreHost : IAsyncLifetime
{
    private WebApplication? app;

    /// <summary>The data directory; it goes with the host.</summary>
    public string Root { get; init; } = Directory.CreateTempSubdirectory("zaffre-http-").FullName;

    /// <summary>The folder into which this server records its traffic; null for none.</summary>
    public string? Record { get; init; }

    /// <summary>Adds to the services, or replaces some; called at every start.</summary>
    public Action<IServiceCollection>? Also { get; init; }

    public IServiceProvider Services => app!.Services;

    public T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    /// <summary>A client of the host <c>localhost</c>, without a token.</summary>
    public HttpClient Anonymous() => new(app!.GetTestServer().CreateHandler()) { BaseAddress = new Uri("https://localhost:8443") };

    /// <summary>A client with the bearer token.</summary>
    public HttpClient With(string token)
    {
        var client = Anonymous();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>The workspace that every server has from the start.</summary>
    public WorkspaceRef Workspace => new(Get<LocalOwner>().SubscriptionId, "zaffre", "main");

    /// <summary>A client with the owner's token for the management surface.</summary>
    public async Task<HttpClient> OwnerAsync() => With(await TokenAsync(Get<LocalOwner>().ClientId, Get<LocalOwner>().ClientSecret));

    /// <summary>A client of a new principal that has <paramref name="role"/> (a built-in role's id) on the workspace, or no role at all.</summary>
    public async Task<HttpClient> PrincipalAsync(string? role)
    {
        var made = await Get<IPrincipals>().CreateAsync("test-" + Guid.NewGuid().ToString("N"), "test", default);
        if (role is not null)
        {
            using var owner = await OwnerAsync();
            var subscription = Get<LocalOwner>().SubscriptionId;
            using var body = JsonContent.Create(new { properties = new { roleDefinitionId = $"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}", principalId = made.Principal.ObjectId, principalType = "ServicePrincipal" } });
            using var answer = await owner.PutAsync(new Uri($"{Workspace.Id}/providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}?api-version=2022-04-01", UriKind.Relative), body);
            answer.EnsureSuccessStatusCode();
        }

        return With(await TokenAsync(made.Principal.ClientId, made.ClientSecret));
    }

    /// <summary>A token by client credentials.</summary>
    public async Task<string> TokenAsync(string clientId, string secret, string scope = "https://management.azure.com/.default")
    {
        using var client = Anonymous();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "client_credentials", ["client_id"] = clientId, ["client_secret"] = secret, ["scope"] = scope,
        });
        using var response = await client.PostAsync(new Uri($"/{Get<LocalOwner>().TenantId}/oauth2/v2.0/token", UriKind.Relative), form);
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["access_token"]!;
    }

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        if (Record is not null)
        {
            builder.Services.AddRecording(new RecordingOptions { Folder = Record, Data = new DataDirectory(Root), BodyLimit = 64 * 1024 });
        }

        builder.Services.AddZaffre(new DataDirectory(Root));
        Also?.Invoke(builder.Services);
        app = builder.Build();
        app.UseZaffre();
        await app.StartAsync();
    }

    /// <summary>Ends the server and starts another one over the same folder.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await StopAsync();
        await DeleteAsync(Root);
    }

    private async Task StopAsync()
    {
        await app!.StopAsync();
        await app.DisposeAsync();
    }

    // Tasks end after the server, and write until then.
    private static async Task DeleteAsync(string folder)
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
}
