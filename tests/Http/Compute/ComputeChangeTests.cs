using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Compute;
using Zaffre.Kernel;
using Zaffre.Tests.Http.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Compute;

/// <summary>Computes while jobs run on them, and changes of what they are.</summary>
public sealed class ComputeChangeTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly JobClient jobs = new(host);

    private Arm Arm => jobs.Arm;

    [Fact]
    public async Task Nodes_are_the_tasks_that_run_and_what_is_in_use_is_not_stopped_or_deleted()
    {
        (await Arm.PutAsync("~/computes/busy", """{"location":"local","properties":{"computeType":"ComputeInstance","properties":{"vmSize":"Standard_DS2_v2"}}}""")).Ok();
        Assert.Empty((await Arm.PostAsync("~/computes/busy/listNodes")).Ok()["nodes"]!.AsArray());
        (await jobs.PutAsync("on-busy", """{"command":"sleep 100","computeId":"busy"}""")).Ok();
        await jobs.StatusAsync("on-busy", "Running");

        var node = Assert.Single((await Arm.PostAsync("~/computes/busy/listNodes")).Ok()["nodes"]!.AsArray())!.AsObject();
        Assert.Equal(("busy-0", "running", "on-busy"), (node.Text("nodeId"), node.Text("nodeState"), node.Text("runId")));
        Assert.Equal("JobRunning", (await Arm.GetAsync("~/computes/busy")).Ok().At("properties.properties.state"));
        var refused = await Arm.PostAsync("~/computes/busy/stop");
        Assert.Equal("ComputeInUse", refused.Fails(HttpStatusCode.Conflict));
        Assert.Contains("on-busy", refused.Body.At("error.message"), StringComparison.Ordinal);
        Assert.Equal("ComputeInUse", (await Arm.DeleteAsync("~/computes/busy?underlyingResourceAction=Delete")).Fails(HttpStatusCode.Conflict));

        await jobs.CancelAsync("on-busy");
        await jobs.StatusAsync("on-busy", "Canceled");
        await StoppedAsync("busy");
        var stopped = (await Arm.GetAsync("~/computes/busy")).Ok();
        Assert.Equal(("Stopped", "Stop", "Succeeded"), (stopped.At("properties.properties.state"), stopped.At("properties.properties.lastOperation.operationName"), stopped.At("properties.properties.lastOperation.operationStatus")));
        var late = await jobs.PutAsync("too-late", """{"command":"true","computeId":"busy"}""");
        Assert.Equal("ComputeStopped", late.Body.At("error.code"));
        Assert.True((int)late.Status is 400 or 409, late.Status.ToString());
        Assert.Equal("Stopped", (await Arm.PutAsync("~/computes/busy", stopped.ToJsonString())).Ok().At("properties.properties.state"));
    }

    [Fact]
    public async Task A_cluster_counts_its_tasks_and_the_host_says_how_many_fit()
    {
        (await Arm.PutAsync("~/computes/counted", """{"location":"local","properties":{"computeType":"AmlCompute","properties":{"scaleSettings":{"maxNodeCount":2}}}}""")).Ok();
        (await jobs.PutAsync("counted-1", """{"command":"sleep 100","computeId":"counted"}""")).Ok();
        await jobs.StatusAsync("counted-1", "Running");
        var cluster = (await Arm.GetAsync("~/computes/counted")).Ok();
        Assert.Equal(("1", "1", "2"), (cluster.At("properties.properties.currentNodeCount"), cluster.At("properties.properties.nodeStateCounts.runningNodeCount"), cluster.At("properties.properties.scaleSettings.maxNodeCount")));
        var usage = Assert.Single((await Arm.GetAsync($"/subscriptions/{Arm.Main.SubscriptionId}/providers/Microsoft.MachineLearningServices/locations/local/usages")).Ok()["value"]!.AsArray())!;
        Assert.InRange((int)usage["currentValue"]!, 1, (int)usage["limit"]!);
        await jobs.CancelAsync("counted-1");
        await jobs.EndAsync("counted-1");
    }

    [Fact]
    public async Task A_put_answers_with_an_operation_that_has_ended()
    {
        using var client = await host.OwnerAsync();
        using var body = new StringContent("""{"location":"local","properties":{"computeType":"AmlCompute","properties":{}}}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await client.PutAsync(new Uri($"{Arm.Main.Id}/computes/polled?api-version=2022-10-01-preview", UriKind.Relative), body);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
        var status = (await Arm.GetAsync(new Uri(answer.Headers.GetValues("Azure-AsyncOperation").Single()).PathAndQuery)).Ok();
        Assert.Equal("Succeeded", status.At("status"));
    }

    [Fact]
    public async Task A_patch_changes_the_scale_and_nothing_else()
    {
        (await Arm.PutAsync("~/computes/scaled", """{"location":"local","properties":{"computeType":"AmlCompute","description":"d","properties":{"vmSize":"Standard_DS2_v2","scaleSettings":{"minNodeCount":1,"maxNodeCount":2}}}}""")).Ok();
        var patched = (await Arm.SendAsync(HttpMethod.Patch, "~/computes/scaled", """{"properties":{"properties":{"scaleSettings":{"maxNodeCount":7}}}}""")).Ok();
        Assert.Equal(("1", "7", "d"), (patched.At("properties.properties.scaleSettings.minNodeCount"), patched.At("properties.properties.scaleSettings.maxNodeCount"), patched.At("properties.description")));
        Assert.Equal(7, (await host.Get<IComputes>().FindAsync(Arm.Main, "scaled", default)).Value.MaxNodes);
        Assert.Equal(["properties.properties.scaleSettings.minNodeCount"], (await Arm.SendAsync(HttpMethod.Patch, "~/computes/scaled", """{"properties":{"properties":{"scaleSettings":{"minNodeCount":9}}}}""")).Targets());
        Assert.Equal(["properties.properties.scaleSettings"], (await Arm.SendAsync(HttpMethod.Patch, "~/computes/scaled", """{"tags":{"a":"b"}}""")).Targets());
        (await Arm.SendAsync(HttpMethod.Patch, "~/computes/nobody", """{"properties":{"properties":{"scaleSettings":{}}}}""")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task An_idle_time_is_kept_and_marked_as_stored_only()
    {
        (await Arm.PutAsync("~/computes/lazy", """{"location":"local","properties":{"computeType":"ComputeInstance","properties":{"vmSize":"Standard_DS2_v2"}}}""")).Ok();
        Assert.Equal(HttpStatusCode.OK, (await Arm.PostAsync("~/computes/lazy/updateIdleShutdownSetting", """{"idleTimeBeforeShutdown":"PT30M"}""")).Status);
        Assert.Equal("PT30M", (await Arm.GetAsync("~/computes/lazy")).Ok().At("properties.properties.idleTimeBeforeShutdown"));
        Assert.Equal("properties.properties.idleTimeBeforeShutdown", await MarkAsync("computes/lazy"));
        Assert.Equal(["idleTimeBeforeShutdown"], (await Arm.PostAsync("~/computes/lazy/updateIdleShutdownSetting", """{"idleTimeBeforeShutdown":"PT1M"}""")).Targets());
        Assert.Equal("OperationNotSupported", (await Arm.PostAsync("~/computes/cpu-cluster/updateIdleShutdownSetting", """{"idleTimeBeforeShutdown":"PT30M"}""")).Fails(HttpStatusCode.BadRequest));
    }

    [Theory]
    [InlineData("computes/cpu-cluster/listKeys")]
    [InlineData("computes/cpu-cluster/resize")]
    [InlineData("computes/cpu-cluster/customServices")]
    public async Task Operations_without_an_engine_are_refused_by_name(string path)
    {
        var refused = await Arm.PostAsync("~/" + path);
        Assert.Equal("OperationNotSupported", refused.Fails(HttpStatusCode.BadRequest));
        Assert.Contains(path, refused.Body.At("error.message"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"computeType":"ComputeInstance","properties":{"setupScripts":{"scripts":{"startupScript":{"scriptSource":"inline","scriptData":"ZWNobw=="}}}}}""", "OperationNotSupported", "properties.properties.setupScripts")]
    [InlineData("""{"computeType":"ComputeInstance","properties":{"schedules":{"computeStartStop":[{"action":"Stop"}]}}}""", "OperationNotSupported", "properties.properties.schedules")]
    [InlineData("""{"computeType":"AmlCompute","properties":{"osType":"Windows"}}""", "OperationNotSupported", "properties.properties.osType")]
    [InlineData("""{"computeType":"AmlCompute","properties":{"scaleSettings":{"minNodeCount":3,"maxNodeCount":1}}}""", "UserError", "properties.properties.scaleSettings.minNodeCount")]
    [InlineData("""{"computeType":"AmlCompute","properties":7}""", "UserError", "properties.properties")]
    [InlineData("""{"computeType":"HDInsight","resourceId":"/subscriptions/s","properties":{"administratorAccount":{"username":"u","password":"p"}}}""", "OperationNotSupported", "properties.computeType")]
    [InlineData("""{"computeType":"SynapseSpark","resourceId":"/subscriptions/s"}""", "OperationNotSupported", "properties.computeType")]
    public async Task What_would_not_happen_is_refused(string properties, string code, string target)
    {
        var refused = await Arm.PutAsync("~/computes/refused", $$$"""{"location":"local","properties":{{{properties}}}}""");
        Assert.Equal(code, refused.Fails(HttpStatusCode.BadRequest));
        Assert.Equal([target], refused.Targets());
        (await Arm.GetAsync("~/computes/refused")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_password_for_nodes_is_not_kept_and_a_detach_is_refused()
    {
        var made = (await Arm.PutAsync("~/computes/ssh", """{"location":"local","properties":{"computeType":"AmlCompute","properties":{"userAccountCredentials":{"adminUserName":"me","adminUserPassword":"hunter2hunter2"}}}}""")).Ok();
        Assert.Equal("me", made.At("properties.properties.userAccountCredentials.adminUserName"));
        Assert.DoesNotContain("hunter2", made.ToJsonString() + (await Arm.GetAsync("~/computes/ssh")).Ok().ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(["underlyingResourceAction"], (await Arm.DeleteAsync("~/computes/ssh?underlyingResourceAction=Detach")).Targets());
        Assert.Equal(HttpStatusCode.OK, (await Arm.DeleteAsync("~/computes/ssh?underlyingResourceAction=Delete")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Arm.DeleteAsync("~/computes/ssh?underlyingResourceAction=Delete")).Status);
    }

    // The job's place is given back a moment after the job has ended.
    private async Task StoppedAsync(string name)
    {
        for (var wait = 0; (await Arm.PostAsync($"~/computes/{name}/stop")).Status != HttpStatusCode.Accepted; wait++)
        {
            Assert.True(wait < 1000, $"{name} stayed in use");
            await Task.Delay(20);
        }
    }

    private async Task<string> MarkAsync(string path)
    {
        using var client = await host.OwnerAsync();
        using var answer = await client.GetAsync(new Uri($"{Arm.Main.Id}/{path}?api-version=2024-10-01", UriKind.Relative));
        return Assert.Single(answer.Headers.GetValues("x-zaffre-stored-only"));
    }
}
