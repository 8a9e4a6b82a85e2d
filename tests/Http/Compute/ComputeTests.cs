using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Compute;
using Zaffre.Kernel;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Compute;

public sealed class ComputeTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Cluster = """{"location":"local","properties":{"computeType":"AmlCompute","properties":{"vmSize":"Standard_DS2_v2","scaleSettings":{"maxNodeCount":3,"minNodeCount":0}}}}""";
    private const string Instance = """{"location":"local","properties":{"computeType":"ComputeInstance","properties":{"vmSize":"Standard_DS2_v2","applicationSharingPolicy":"Shared"}}}""";

    private readonly Arm arm = new(host);

    [Theory]
    [InlineData("serverless")]
    [InlineData("cpu-cluster")]
    public async Task A_workspace_has_computes_from_the_start(string name)
    {
        var found = (await arm.GetAsync($"~/computes/{name}")).Ok();
        var properties = found["properties"]!.AsObject();

        Assert.Equal("AmlCompute", properties.Text("computeType"));
        Assert.Equal("Succeeded", properties.Text("provisioningState"));
        Assert.NotNull(properties.Text("createdOn"));
        Assert.NotNull(properties.Text("computeLocation"));
        Assert.NotNull(properties["properties"]!.AsObject().Text("vmSize"));
        Assert.Equal("PT120S", properties["properties"]!["scaleSettings"]!.AsObject().Text("nodeIdleTimeBeforeScaleDown"));
        Assert.Contains((await arm.GetAsync("~/computes")).Ok()["value"]!.AsArray(), c => c!["name"]!.GetValue<string>() == name);
    }

    [Fact]
    public async Task A_cluster_is_made_changed_and_deleted()
    {
        var made = await arm.PutAsync("~/computes/mine", Cluster);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Equal("Succeeded", made.Body["properties"]!.AsObject().Text("provisioningState"));
        var changed = (await arm.PutAsync("~/computes/mine", Cluster.Replace("\"maxNodeCount\":3", "\"maxNodeCount\":5", StringComparison.Ordinal))).Ok();
        Assert.Equal(5, (int)changed["properties"]!["properties"]!["scaleSettings"]!["maxNodeCount"]!);

        var (status, _) = await arm.DeleteAsync("~/computes/mine?underlyingResourceAction=Delete");
        Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Accepted or HttpStatusCode.NoContent, status.ToString());
        (await arm.GetAsync("~/computes/mine")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task An_instance_is_stopped_and_started_and_takes_jobs_only_while_it_runs()
    {
        (await arm.PutAsync("~/computes/inst", Instance)).Ok();
        var computes = host.Get<IComputes>();

        Assert.Equal(HttpStatusCode.Accepted, (await arm.PostAsync("~/computes/inst/stop")).Status);
        Assert.Equal("Stopped", (await arm.GetAsync("~/computes/inst")).Ok()["properties"]!["properties"]!.AsObject().Text("state"));
        Assert.Equal("ComputeStopped", (await computes.FindAsync(arm.Main, "inst", default)).Problem?.Code);

        Assert.Equal(HttpStatusCode.Accepted, (await arm.PostAsync("~/computes/inst/start")).Status);
        Assert.Equal(1, (await computes.FindAsync(arm.Main, "inst", default)).Value.MaxNodes);
        Assert.Equal(HttpStatusCode.Accepted, (await arm.PostAsync("~/computes/inst/restart")).Status);
        Assert.Equal("OperationNotSupported", (await arm.PostAsync("~/computes/cpu-cluster/stop")).Fails(HttpStatusCode.BadRequest));
        (await arm.PostAsync("~/computes/nobody/stop")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"properties":{"computeType":"SynapseSpark","properties":{}}}""", "OperationNotSupported")]
    [InlineData("""{"properties":{"computeType":"Kubernetes","properties":{}}}""", null)]
    [InlineData("""{"properties":{"computeType":"AmlCompute","properties":{"scaleSettings":{"maxNodeCount":"many"}}}}""", null)]
    [InlineData("""{"properties":{}}""", null)]
    [InlineData("""{"properties":{"computeType":7}}""", null)]
    public async Task A_compute_without_an_engine_or_with_nonsense_is_refused_and_not_made(string body, string? code)
    {
        var answered = (await arm.PutAsync("~/computes/wrong", body)).Fails(HttpStatusCode.BadRequest);

        Assert.Equal(code ?? answered, answered);
        (await arm.GetAsync("~/computes/wrong")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("1abc")]
    [InlineData("ends-")]
    [InlineData("under_score")]
    public async Task A_name_that_azure_refuses_is_refused(string name) =>
        (await arm.PutAsync($"~/computes/{name}", Cluster)).Fails(HttpStatusCode.BadRequest);

    [Fact]
    public async Task Nodes_sizes_and_usages_are_lists()
    {
        var location = $"/subscriptions/{arm.Main.SubscriptionId}/providers/Microsoft.MachineLearningServices/locations/local";

        Assert.IsType<JsonArray>((await arm.PostAsync("~/computes/cpu-cluster/listNodes")).Ok()["nodes"]);
        Assert.Contains((await arm.GetAsync(location + "/vmSizes")).Ok()["value"]!.AsArray(), s => (string)s!["name"]! == "Standard_DS3_v2");
        Assert.IsType<JsonArray>((await arm.GetAsync(location + "/usages")).Ok()["value"]);
    }

    [Fact]
    public async Task A_compute_is_found_by_every_way_of_naming_it()
    {
        var computes = host.Get<IComputes>();
        var id = arm.Main.Child("computes", "cpu-cluster");
        foreach (var way in new[] { "cpu-cluster", "azureml:cpu-cluster", id.Value, "azureml:" + id.Value })
        {
            Assert.Equal(id, (await computes.FindAsync(arm.Main, way, default)).Value.Id);
        }

        Assert.Equal("serverless", (await computes.FindAsync(arm.Main, null, default)).Value.Name);
        var problem = (await computes.FindAsync(arm.Main, "gpu", default)).Problem;
        Assert.Equal(ProblemKind.NotFound, problem?.Kind);
        Assert.Contains("cpu-cluster", problem!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attached_machine_is_kept_without_its_secrets_and_takes_jobs_where_it_is_this_host()
    {
        const string machine = """{"properties":{"computeType":"virtualmachine","resourceId":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v1","properties":{"sshPort":22,"administratorAccount":{"username":"me","password":"secret","privateKeyData":"key"}}}}""";
        (await arm.PutAsync("~/computes/attached", machine)).Ok();
        var kept = (await arm.GetAsync("~/computes/attached")).Ok();
        Assert.Equal(("VirtualMachine", "true", "me"), (kept.At("properties.computeType"), kept.At("properties.isAttachedCompute"), kept.At("properties.properties.administratorAccount.username")));
        Assert.DoesNotContain("secret", kept.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("privateKeyData", kept.ToJsonString(), StringComparison.Ordinal);

        var computes = host.Get<IComputes>();
        Assert.Equal("OperationNotSupported", (await computes.FindAsync(arm.Main, "attached", default)).Problem?.Code);
        await OperatorAsync("attached:\n- resource: '*/virtualMachines/v1'\n  size: Small\n  places: 2\nsizes:\n- {name: Small, cores: 1, memory_gb: 1}\n- {name: Gpu, cores: 1, memory_gb: 1, gpus: 63}\n");
        var here = (await computes.FindAsync(arm.Main, "attached", default)).Value;
        Assert.Equal((2, 1L << 30), (here.MaxNodes, here.NodeLimits.MemoryBytes));
        var location = $"/subscriptions/{arm.Main.SubscriptionId}/providers/Microsoft.MachineLearningServices/locations/local";
        Assert.Equal(63, (int)(await arm.GetAsync(location + "/vmSizes")).Ok()["value"]!.AsArray().Single(s => s!["name"]!.ToString() == "Gpu")!["gpus"]!);
        (await arm.PutAsync("~/computes/gpus", Cluster.Replace("Standard_DS2_v2", "gpu", StringComparison.Ordinal))).Ok();
        Assert.Equal("GpusMissing", (await computes.FindAsync(arm.Main, "gpus", default)).Problem?.Code);

        await OperatorAsync("sizes: small\nslots: 3\ncontainers:\n  use: sometimes\n");
        var wrong = (await computes.FindAsync(arm.Main, "cpu-cluster", default)).Problem;
        Assert.Equal("InvalidComputeFile", wrong?.Code);
        Assert.All(new[] { "line 1: 'sizes' must be a list", "line 2: 'slots' is not known here", "line 4: 'use' must be never or always" }, what => Assert.Contains(what, wrong!.Message, StringComparison.Ordinal));
        File.Delete(Path.Combine(host.Root, "compute.yml"));
        Assert.True((await computes.FindAsync(arm.Main, "cpu-cluster", default)).Succeeded);

        var (status, _) = await arm.DeleteAsync("~/computes/attached?underlyingResourceAction=Detach");
        Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Accepted or HttpStatusCode.NoContent, status.ToString());
        Assert.Equal(HttpStatusCode.NotFound, (await arm.GetAsync("~/computes/attached")).Status);
    }

    private Task OperatorAsync(string text) => File.WriteAllTextAsync(Path.Combine(host.Root, "compute.yml"), text);
}
