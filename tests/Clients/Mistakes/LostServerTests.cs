namespace Zaffre.Tests.Clients.Mistakes;

/// <summary>A server that is gone in the middle: clients end by themselves, and the work that was handed over goes on.</summary>
public sealed class LostServerTests : IAsyncLifetime
{
    private readonly ZaffreServer server = new();

    public Task InitializeAsync() => server.InitializeAsync();

    public Task DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Streams_end_when_the_server_is_killed_and_read_on_when_it_is_back()
    {
        var file = Path.Combine(Path.GetDirectoryName(server.Data)!, "job.yml");
        await File.WriteAllTextAsync(file, "type: command\ncommand: >-\n  echo first; while [ ! -e outputs/end ]; do sleep 0.1; done; echo last\nenvironment:\n  image: mcr.microsoft.com/azureml/base\n");
        (await server.ZaffreAsync("job", "create", "--name", "lost", "-o", "none", "-f", file)).Succeeded();
        using var python = ZaffreBinary.Start(
            ZaffreBinary.Path, ["exec", "--data", server.Data, "--", .. Sdk.Newest.Command(), Path.Combine(ZaffreBinary.Python, "stream_job.py"), "lost"],
            new Dictionary<string, string?> { ["PYTHONPATH"] = "", ["PYTHONDONTWRITEBYTECODE"] = "1", ["PYTHONUNBUFFERED"] = "1" });
        using var own = ZaffreBinary.Start(ZaffreBinary.Path, ["job", "stream", "-n", "lost", "--data", server.Data]);
        Assert.Equal("first", await own.StandardOutput.ReadLineAsync());
        while (await python.StandardOutput.ReadLineAsync() is { } line && line.Trim() != "first")
        {
        }

        await server.KillAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await Task.WhenAll(own.WaitForExitAsync(patience.Token), python.WaitForExitAsync(patience.Token));
        Assert.Equal(1, own.ExitCode);
        Assert.StartsWith("ERROR: The log of the job lost broke off:", await own.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(3, python.ExitCode);
        Assert.Contains("ended: ", await python.StandardError.ReadToEndAsync(), StringComparison.Ordinal);

        await server.StartAsync();
        Assert.Equal("Running", (await server.ZaffreAsync("job", "show", "-n", "lost", "--query", "status", "-o", "tsv")).Succeeded().Output.Trim());
        (await server.ZaffreAsync("job", "cancel", "-n", "lost")).Succeeded();
    }
}
