using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>A compute with one place, and several jobs that want it.</summary>
public sealed class JobQueueTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly JobClient jobs = new(host);

    private Arm Arm => jobs.Arm;

    [Fact]
    public async Task Jobs_wait_for_their_place_by_priority_and_a_waiting_one_is_canceled_at_once()
    {
        (await Arm.PutAsync("~/computes/single", """
            {"location":"local","properties":{"computeType":"AmlCompute","properties":{"vmSize":"Standard_DS2_v2","scaleSettings":{"minNodeCount":0,"maxNodeCount":1}}}}
            """)).Ok();
        await SubmitAsync("blocker", "while [ ! -e outputs/go ]; do sleep 0.05; done", priority: 2);
        await jobs.StatusAsync("blocker", "Running");
        await SubmitAsync("low", "true", priority: 1);
        await SubmitAsync("middle", "true", priority: 2);
        await SubmitAsync("unwanted", "true", priority: 3);
        await SubmitAsync("high", "true", priority: 3);
        Assert.Equal("Queued", (await Arm.GetAsync("~/jobs/low")).Ok().At("properties.status"));

        Assert.Equal(HttpStatusCode.OK, (await jobs.CancelAsync("unwanted")).StatusCode);
        Assert.Equal("Canceled", (await Arm.GetAsync("~/jobs/unwanted")).Ok().At("properties.status"));

        Assert.Equal(HttpStatusCode.Accepted, (await jobs.CancelAsync("blocker")).StatusCode);
        foreach (var name in (string[])["low", "middle", "high"])
        {
            Assert.Equal("Completed", (await jobs.EndAsync(name)).Job.At("properties.status"));
        }

        var events = await host.Get<IEventLog>().ReadAsync(0, 10_000, CancellationToken.None);
        Assert.Equal(
            ["blocker", "high", "middle", "low"],
            events.Where(e => e.Action.EndsWith("/jobs/running", StringComparison.Ordinal)).Select(e => e.Subject[(e.Subject.LastIndexOf('/') + 1)..]));
    }

    [Fact]
    public async Task A_name_that_is_taken_by_another_version_of_the_asset_fails_the_job_and_says_so()
    {
        (await Arm.PutAsync("~/data/taken/versions/1", """{"properties":{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/other.csv"}}""")).Ok();
        (await jobs.PutAsync("publishes", """{"command":"echo x > ${{outputs.o}}/x","outputs":{"o":{"jobOutputType":"uri_folder","assetName":"taken","assetVersion":"1"}}}""")).Ok();
        var (job, _) = await jobs.EndAsync("publishes");
        Assert.Equal(("Failed", "OutputNotPublished"), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString()));
    }

    private async Task SubmitAsync(string name, string command, int priority) => (await jobs.PutAsync(name, new JsonObject
    {
        ["command"] = command,
        ["computeId"] = "single",
        ["queueSettings"] = new JsonObject { ["priority"] = priority },
    }.ToJsonString())).Ok();
}
