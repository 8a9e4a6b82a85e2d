using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Somebody sets the host's clock while jobs run and wait; time itself passes as ever.</summary>
public sealed class JobClockTests : IAsyncLifetime
{
    private readonly SetClock clock = new();
    private readonly ZaffreHost host;

    public JobClockTests() => host = new ZaffreHost
    {
        Also = services =>
        {
            services.AddSingleton<TimeProvider>(clock);
            services.AddSingleton(new JobOptions { MostSteps = 8 });
        },
    };

    // A new one each time: what a person holds in hand expires when the clock says so.
    private JobClient Jobs => new(host);

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    [Theory]
    [InlineData(24)]
    [InlineData(-1)]
    public async Task A_clock_that_jumps_ends_no_job_keeps_none_and_shortens_no_limit(int hours)
    {
        (await Jobs.Arm.PutAsync("~/computes/one", """{"location":"local","properties":{"computeType":"AmlCompute","properties":{"vmSize":"x","scaleSettings":{"minNodeCount":0,"maxNodeCount":1}}}}""")).Ok();
        var compute = $"{Jobs.Arm.Main.Id}/computes/one";
        (await Jobs.PutAsync("limited", $$$"""{"command":"echo $AZUREML_RUN_TOKEN; while [ ! -e logs/go ]; do sleep 0.02; done; echo ends","computeId":"{{{compute}}}","limits":{"jobLimitsType":"Command","timeout":"PT30M"}}""")).Ok();
        (await Jobs.PutAsync("waits", $$"""{"command":"echo ran","computeId":"{{compute}}"}""")).Ok();
        (await Jobs.PutAsync("overstays", """{"command":"sleep 100","limits":{"jobLimitsType":"Command","timeout":"PT2S"}}""")).Ok();
        await Jobs.StatusAsync("limited", "Running");
        await Jobs.StatusAsync("overstays", "Running");
        var log = Directory.GetFiles(host.Root, "std_log.txt", SearchOption.AllDirectories).Single(path => path.Contains("dcid.limited", StringComparison.Ordinal));
        var token = "";
        while ((token = await File.ReadAllTextAsync(log)) is not [.., '\n'])
        {
            await Task.Delay(10);
        }

        clock.Set = TimeSpan.FromHours(hours);
        var (overstays, _) = await Jobs.EndAsync("overstays");
        Assert.Equal(("Canceled", "JobTimedOut"), (overstays.At("properties.status"), overstays["properties"]!["properties"]!["zaffre.error.code"]!.ToString()));
        Assert.Equal("Running", (await Jobs.Arm.GetAsync("~/jobs/limited")).Ok().At("properties.status"));
        Assert.Equal("Queued", (await Jobs.Arm.GetAsync("~/jobs/waits")).Ok().At("properties.status"));

        // The job goes on with its token, and tells its run the truth.
        using (var job = host.With(token.Trim()))
        using (var metric = await job.PostAsJsonAsync(new Uri("/api/2.0/mlflow/runs/log-metric", UriKind.Relative), new { run_id = "limited", key = "m", value = 1, timestamp = 1 }))
        {
            Assert.Equal(HttpStatusCode.OK, metric.StatusCode);
        }

        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(log))!, "logs", "go"), "");
        Assert.Equal("Completed", (await Jobs.EndAsync("limited")).Job.At("properties.status"));
        Assert.Equal("ran\n", (await Jobs.EndAsync("waits")).Log);
        foreach (var name in (string[])["limited", "waits", "overstays"])
        {
            var usage = (await Jobs.Arm.GetAsync($"/zaffre/v1{Jobs.Arm.Main.Id}/jobs/{name}/usage")).Ok();
            Assert.InRange((double)usage["wallSeconds"]!, 0, 120);
        }
    }

    [Fact]
    public async Task Pipelines_go_on_and_loops_without_a_limit_end_at_the_most_steps_whatever_the_clock_says()
    {
        var pipelines = new PipelineClient(host);
        await pipelines.ComponentAsync("clock_again", """{"command":"sleep 0.1; echo true >${{outputs.more}}","outputs":{"more":{"type":"boolean"}}}""");
        await pipelines.ComponentAsync("clock_body", $$$$$$"""{"type":"pipeline","outputs":{"more":{"type":"boolean"}},"jobs":{"step":{"type":"command","componentId":"{{{{{{pipelines.Arm.Main.Id}}}}}}/components/clock_again/versions/1","outputs":{"more":"${{parent.outputs.more}}"}}}}""");
        (await pipelines.PutAsync("endless", """{"jobs":{"body":{"type":"pipeline","componentId":"@clock_body"},"again":{"type":"do_while","body":"${{parent.jobs.body}}","condition":"more","mapping":{}}}}""")).Ok();
        await Jobs.StatusAsync("endless", "Running");
        clock.Set = TimeSpan.FromHours(-1);
        await Jobs.StatusAsync("endless", "Failed");
        var error = (await Jobs.Arm.GetAsync("~/jobs/endless")).Ok()["properties"]!["properties"]!["zaffre.error.message"]!.ToString();
        Assert.Contains("8 are the most", error, StringComparison.Ordinal);
    }
}
