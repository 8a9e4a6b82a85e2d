namespace Zaffre.Tests.Clients.Connecting;

/// <summary>Two generations of the SDK against the same server.</summary>
[Collection(ZaffreServer.OfConnections)]
public sealed class GenerationTests(ZaffreServer server)
{
    [Theory]
    [InlineData(Sdks.Proxy)]
    [InlineData(Sdks.Direct)]
    public async Task What_came_after_the_first_generation_behaves_or_is_refused_by_name(string mode) => Assert.Equal(
        ["without_compute", "queue", "named_output", "refusals", "endpoint", "aad_token"],
        await server.StepsAsync(Sdk.Newest, mode, "newer.py"));

    [Theory]
    [InlineData(Sdk.Oldest, Sdks.Proxy, Sdk.Newest, Sdks.Direct)]
    [InlineData(Sdk.Newest, Sdks.Proxy, Sdk.Oldest, Sdks.Proxy)]
    [InlineData(Sdk.Newest, Sdks.Direct, Sdk.Newest, Sdks.Proxy)]
    public async Task What_one_generation_makes_the_other_reads_runs_and_changes(Sdk maker, string makersMode, Sdk user, string usersMode)
    {
        var name = "crossing-" + Guid.NewGuid().ToString("N")[..8];
        Assert.Equal(["make"], await server.StepsAsync(maker, makersMode, "crossing.py", "make", name));
        Assert.Equal(["use"], await server.StepsAsync(user, usersMode, "crossing.py", "use", name));
    }
}
