using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Tracking.Live;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>A stream of events goes on for hours; what let its reader in may end before.</summary>
public sealed class EventAccessTests : IAsyncLifetime
{
    private const string Reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

    private readonly SetClock clock = new();
    private readonly ZaffreHost host;

    public EventAccessTests() => host = new ZaffreHost
    {
        Also = services =>
        {
            services.AddSingleton<TimeProvider>(clock);
            services.AddSingleton(new FeedOptions(TimeSpan.FromMilliseconds(20)));
        },
    };

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_silent_stream_shows_that_it_lives_and_ends_when_the_token_does()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        using var client = await host.OwnerAsync();
        using var events = await EventReader.OpenAsync(client, $"/zaffre/v1{host.Workspace.Id}/runs/{run}/events?events=metric");
        await events.NextAsync();
        var next = events.NextAsync();
        while (events.Heartbeats < 2)
        {
            Assert.False(next.IsCompleted);
            await Task.Yield();
        }

        clock.Set = TimeSpan.FromDays(2);
        var last = await next;
        Assert.Equal(("denied", "ExpiredAuthenticationToken"), (last?.Name, last?.Data.GetProperty("code").GetString()));
        Assert.Null(await events.NextAsync());
    }

    [Fact]
    public async Task A_stream_ends_when_its_reader_loses_the_role()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        using var reader = await host.PrincipalAsync(Reader);
        using var events = await EventReader.OpenAsync(reader, $"/zaffre/v1{host.Workspace.Id}/runs/{run}/events?events=metric");
        await events.NextAsync();
        using var owner = await host.OwnerAsync();
        var assignments = (await owner.GetFromJsonAsync<System.Text.Json.JsonElement>($"{host.Workspace.Id}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope()")).GetProperty("value").EnumerateArray()
            .Where(one => one.GetProperty("properties").GetProperty("roleDefinitionId").GetString()!.EndsWith(Reader, StringComparison.Ordinal)).ToList();
        foreach (var assignment in assignments)
        {
            using var answer = await owner.DeleteAsync(new Uri(assignment.GetProperty("id").GetString() + "?api-version=2022-04-01", UriKind.Relative));
            answer.EnsureSuccessStatusCode();
        }

        Assert.Equal("AuthorizationFailed", (await events.NextAsync())?.Data.GetProperty("code").GetString());
    }
}
