namespace Zaffre.Tests.Clients.Connecting;

/// <summary>What each version of the SDK has, so that the compatibility table says what the other lacks.</summary>
[Collection(ZaffreServer.OfConnections)]
public sealed class SurfaceTests(ZaffreServer server)
{
    [Fact]
    public async Task Operations_that_only_the_other_version_has_are_known()
    {
        var (oldest, before) = await SurfaceAsync(Sdk.Oldest, Sdks.Proxy);
        var (newest, now) = await SurfaceAsync(Sdk.Newest, Sdks.Proxy);
        var (direct, _) = await SurfaceAsync(Sdk.Newest, Sdks.Direct);

        Assert.Contains("jobs.create_or_update", before);
        Assert.Contains("schedules.trigger", now);
        Assert.DoesNotContain("schedules.trigger", before);
        Compatibility.NotCallable(oldest, [.. now.Except(before)]);
        Compatibility.NotCallable(newest, [.. before.Except(now)]);
        Compatibility.NotCallable(direct, [.. before.Except(now)]);
    }

    private async Task<(string Client, string[] Operations)> SurfaceAsync(Sdk sdk, string mode)
    {
        var lines = (await server.PythonAsync(sdk, mode, "surface.py")).Split('\n');
        return (lines[0], [.. lines.Where(line => line.StartsWith("ok ", StringComparison.Ordinal)).Select(line => line["ok ".Length..])]);
    }
}
