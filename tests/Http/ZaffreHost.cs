using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;
using Zaffre.Server;

namespace Zaffre.Tests.Http;

/// <summary>The whole server in this process, over a real SQLite file in a folder of its own, without sockets. One per test class (IClassFixture).</summary>
public sealed class ZaffreHost : IAsyncLifetime
{
    private WebApplication? app;

    public string Root { get; } = Directory.CreateTempSubdirectory("zaffre-http-").FullName;

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

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddZaffre(new DataDirectory(Root));
        app = builder.Build();
        app.UseZaffre();
        await app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await app!.StopAsync();
        await app.DisposeAsync();
        Directory.Delete(Root, recursive: true);
    }
}
