using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Compute;

/// <summary>Azure's ready-made environments by every door: the server's table (with the user's own entries first) says what they are.</summary>
public sealed class CuratedTests : IClassFixture<ZaffreHost>
{
    private const string ByName = "azureml:AzureML-house-py311:7";
    private const string ByLabel = "azureml://registries/azureml/environments/house-py311/labels/latest";

    private readonly ZaffreHost host;
    private readonly PipelineClient pipelines;

    public CuratedTests(ZaffreHost host)
    {
        (this.host, pipelines) = (host, new PipelineClient(host));
        File.WriteAllText(Path.Combine(host.Root, "curated-environments.yml"), "- names: [AzureML-house-*, house-*]\n  packages: []\n");
    }

    private Arm Arm => pipelines.Arm;

    [Theory]
    [InlineData("named", ByName)]
    [InlineData("labelled", ByLabel)]
    public async Task Components_and_pipelines_run_in_them(string name, string reference)
    {
        var component = await pipelines.ComponentAsync("c-" + name, $$"""{"command":"echo component","environment":"{{reference}}"}""");
        (await pipelines.PutAsync("p-" + name, $$$"""
            {"settings":{"default_compute":"serverless"},"jobs":{
              "registered":{"type":"command","componentId":"{{{component}}}"} } }
            """)).Ok();

        Assert.Equal("Completed", (await pipelines.Jobs.EndAsync("p-" + name)).Job.At("properties.status"));
    }

    [Theory]
    [InlineData("job", "command: echo hi\nenvironment: REF\ncompute: serverless\n")]
    [InlineData("job", "type: pipeline\nsettings: {default_compute: serverless}\njobs:\n  a:\n    command: echo hi\n    environment: REF\n")]
    [InlineData("component", "name: c\ntype: command\ncommand: echo hi\nenvironment: REF\n")]
    [InlineData("online-deployment", "name: blue\nendpoint_name: curated-yaml\nenvironment: REF\ninstance_count: 1\n")]
    public async Task Yaml_names_them(string kind, string yaml)
    {
        foreach (var reference in new[] { ByName, ByLabel })
        {
            var answer = (await Arm.PostAsync($"/zaffre/v1{Arm.Main.Id}/yaml:resolve", new JsonObject { ["kind"] = kind, ["file"] = "a.yml", ["files"] = new JsonObject { ["a.yml"] = yaml.Replace("REF", reference, StringComparison.Ordinal) } }.ToJsonString())).Ok();
            Assert.Contains("house-py311", answer["requests"]!.ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Clients_that_ask_for_the_newest_version_find_one_and_registered_ones_come_first()
    {
        var listed = (await Arm.GetAsync("~/environments/AzureML-house-py311/versions?$orderBy=createdtime%20desc&$top=1")).Ok();
        Assert.Equal("Curated", listed["value"]!.AsArray().Single()!.AsObject().At("properties.environmentType"));

        (await Arm.PutAsync("~/environments/AzureML-house-own/versions/4", """{"properties":{"image":"debian"}}""")).Ok();
        listed = (await Arm.GetAsync("~/environments/AzureML-house-own/versions?$orderBy=createdtime%20desc&$top=1")).Ok();
        Assert.Equal("4", listed["value"]!.AsArray().Single()!.AsObject().At("name"));
        Assert.Empty((await Arm.GetAsync("~/environments/nobody/versions")).Ok()["value"]!.AsArray());
    }

    [Fact]
    public async Task A_deployment_is_planned_with_one()
    {
        (await Arm.PutAsync("~/onlineEndpoints/curated-endpoint", """{"location":"local","properties":{"authMode":"Key"}}""")).Status.ToString();
        var refused = await Arm.PutAsync("~/onlineEndpoints/curated-endpoint/deployments/blue", $$$"""
            {"location":"local","properties":{"endpointComputeType":"Managed","instanceType":"Standard_DS3_v2","environmentId":"{{{ByLabel}}}","model":"azureml:nobody:1"},"sku":{"name":"Default","capacity":1}}
            """);

        // Only the model is missing.
        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.DoesNotContain("environmentId", refused.Body.ToJsonString(), StringComparison.Ordinal);
    }
}
