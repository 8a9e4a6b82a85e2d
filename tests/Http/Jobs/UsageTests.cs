using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>What jobs used, what it cost, and the figures while they run.</summary>
public sealed class UsageTests : IAsyncLifetime
{
    private readonly ZaffreHost host = new() { Also = services => services.AddSingleton(new JobOptions { MetricsInterval = TimeSpan.FromMilliseconds(250) }) };

    private JobClient Jobs { get; set; } = null!;

    private Arm Arm => Jobs.Arm;

    public async Task InitializeAsync()
    {
        await host.InitializeAsync();
        Jobs = new JobClient(host);
    }

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_job_says_what_it_used_and_cost_and_its_run_shows_it_while_it_runs()
    {
        await File.WriteAllTextAsync(Path.Combine(host.Root, "compute.yml"), """
            sizes:
            - { name: Standard_DS3_v2, cores: 4, memory_gb: 14, hour: 3600 }
            prices: { currency: EUR }
            """);
        (await Jobs.PutAsync("works", """{"command":"head -c 30000000 /dev/zero >outputs/zeros; until [ -e outputs/enough ]; do :; done"}""")).Ok();
        var metrics = await Jobs.MetricsAsync("works", "system/cpu_utilization_percentage");
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(Directory.EnumerateFiles(host.Root, "zeros", SearchOption.AllDirectories).First())!, "enough"), "");
        Assert.Equal("Completed", (await Jobs.EndAsync("works")).Job.At("properties.status"));

        var usage = await UsageAsync("works");
        Assert.Equal(("works", 1, 0, 0.0), (usage.At("name"), (int)usage["jobs"]!, (int)usage["running"]!, (double)usage["gpuSeconds"]!));
        var wall = (double)usage["wallSeconds"]!;
        Assert.True(wall >= 0.5, $"{wall} s");
        Assert.Equal(wall, (double)usage["slotSeconds"]!);
        Assert.Equal((Math.Round(wall, 3), "EUR"), (Math.Round((double)usage["cost"]!["amount"]!, 3), usage.At("cost.currency")));
        if (Environment.IsPrivilegedProcess)
        {
            Assert.InRange((double)usage["cpuSeconds"]!, 0.05, 1000);
            Assert.InRange((long)usage["peakMemoryBytes"]!, 100_000, long.MaxValue);
            Assert.InRange((double)metrics[0]!["value"]!, 0.1, 1000);
        }

        Assert.NotNull(usage["writtenBytes"]);
    }

    [Fact]
    public async Task A_short_job_has_no_system_metrics_and_without_prices_no_cost_and_a_pipeline_adds_up()
    {
        (await Jobs.PutAsync("short", """{"command":"true"}""")).Ok();
        await Jobs.EndAsync("short");
        var usage = await UsageAsync("short");
        Assert.Null(usage["cost"]);
        Assert.InRange((double)usage["wallSeconds"]!, 0, 60);

        var pipelines = new PipelineClient(host);
        await pipelines.ComponentAsync("quick", """{"command":"true"}""");
        (await pipelines.PutAsync("two", """{"jobs":{"a":{"type":"command","componentId":"@quick"},"b":{"type":"command","componentId":"@quick"}}}""")).Ok();
        await Jobs.EndAsync("two");
        var whole = await UsageAsync("two");
        var steps = new[] { await UsageAsync("two_a"), await UsageAsync("two_b") };
        Assert.Equal((2, 0), ((int)whole["jobs"]!, (int)whole["running"]!));
        Assert.Equal(steps.Sum(step => (double)step["slotSeconds"]!), (double)whole["slotSeconds"]!, 9);
        Assert.Equal(HttpStatusCode.NotFound, (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/nobody/usage")).Status);
    }

    private async Task<JsonObject> UsageAsync(string job) => (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{job}/usage")).Ok();
}
