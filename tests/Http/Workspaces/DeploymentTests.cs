using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Identity.Access;
using Zaffre.Kernel;
using Zaffre.Tests.Http.Identity;

namespace Zaffre.Tests.Http.Workspaces;

public sealed class DeploymentTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    private string Deployments => arm.Group + "/providers/Microsoft.Resources/deployments";

    [Fact]
    public async Task A_workspace_is_made_by_the_template_the_sdk_sends_and_is_there_when_the_put_is_answered()
    {
        var put = await arm.PutAsync(Deployments + "/byte-1", Template("bytemplate", """
            "location":{"value":"local"},"friendlyName":{"value":"By template"},"description":{"value":"d"},"tagValues":{"value":{"a":"1"}},
            "keyVaultOption":{"value":"new"},"keyVaultName":{"value":"kv"},"applicationInsightsOption":{"value":"existing"},"applicationInsightsName":{"value":"ai"},
            "applicationInsightsResourceGroupName":{"value":"other"},"identity":{"value":{"type":"SystemAssigned"}},"imageBuildCompute":{"value":""}
            """));
        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal("Succeeded", put.Body.At("properties.provisioningState"));
        Assert.Equal("Incremental", put.Body.At("properties.mode"));
        Assert.Matches("^PT[0-9.]+S$", put.Body.At("properties.duration"));

        var made = (await arm.GetAsync(Path("bytemplate"))).Ok();
        Assert.Equal("By template", made.At("properties.friendlyName"));
        Assert.Equal("1", made.At("tags.a"));
        Assert.Equal("", made.At("properties.keyVault"));
        Assert.Equal($"/subscriptions/{arm.Main.SubscriptionId}/resourceGroups/other/providers/Microsoft.Insights/components/ai", made.At("properties.applicationInsights"));
        Assert.Contains("workspaceblobstore", (await arm.GetAsync(Path("bytemplate") + "/datastores")).Ok().Names());

        foreach (var path in new[] { Deployments + "/byte-1/operations", arm.Group + "/deployments/byte-1/operations" })
        {
            var operation = (JsonObject)Assert.Single((await arm.GetAsync(path)).Ok()["value"]!.AsArray())!;
            Assert.Equal("Create", operation.At("properties.provisioningOperation"));
            Assert.Equal("bytemplate", operation.At("properties.targetResource.resourceName"));
        }

        Assert.Contains("byte-1", (await arm.GetAsync(Deployments + "/")).Ok().Names());
        Assert.Equal(HttpStatusCode.NoContent, (await arm.SendAsync(HttpMethod.Head, Deployments + "/byte-1")).Status);
        Assert.Equal("DeploymentCannotBeCancelled", (await arm.PostAsync(Deployments + "/byte-1/cancel")).Fails(HttpStatusCode.Conflict));
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync(Deployments + "/byte-1", Template("bytemplate", ""))).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await arm.DeleteAsync(Deployments + "/byte-1")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await arm.SendAsync(HttpMethod.Head, Deployments + "/byte-1")).Status);
        Assert.Equal("DeploymentNotFound", (await arm.GetAsync(Deployments + "/byte-1")).Fails(HttpStatusCode.NotFound));
        (await arm.GetAsync(Path("bytemplate"))).Ok();
    }

    [Fact]
    public async Task Validation_says_what_would_happen_and_does_nothing()
    {
        Assert.Equal("Succeeded", (await arm.PostAsync(Deployments + "/v/validate", Template("validated", ""))).Ok().At("properties.provisioningState"));
        Assert.Equal(["workspaceName"], (await arm.PostAsync(Deployments + "/v/validate", Template("-", ""))).Targets());
        (await arm.GetAsync(Path("validated"))).Fails(HttpStatusCode.NotFound);
        (await arm.GetAsync(Deployments + "/v")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"mode":"Incremental","template":{"resources":[{"type":"Microsoft.Web/sites"}]}}""", "Microsoft.Web/sites")]
    [InlineData("""{"mode":"Incremental","template":{"resources":[{"type":"Microsoft.MachineLearningServices/workspaces"},{"type":"Microsoft.Sql/servers"}]},"parameters":{"workspaceName":{"value":"abc"}}}""", "Microsoft.Sql/servers")]
    [InlineData("""{"mode":"Incremental","template":{"resources":[{"type":"Microsoft.MachineLearningServices/workspaces","name":"abc"}]}}""", "workspaceName")]
    [InlineData("""{"mode":"Incremental","template":{"resources":[{"type":"Microsoft.Storage/storageAccounts"}]}}""", "Microsoft.Storage/storageAccounts")]
    [InlineData("""{"mode":"Incremental","template":{}}""", "nothing")]
    [InlineData("""{"mode":"Complete","template":{}}""", "Complete")]
    [InlineData("""{"mode":"Incremental","templateLink":{"uri":"https://example.com/t.json"}}""", "templateLink")]
    public async Task Every_other_template_is_refused_and_named(string properties, string named)
    {
        var answer = await arm.PutAsync(Deployments + "/other", $$"""{"properties":{{properties}}}""");
        Assert.Equal("OperationNotSupported", answer.Fails(HttpStatusCode.BadRequest));
        Assert.Contains(named, answer.Body["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        (await arm.GetAsync(Deployments + "/other")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_deployment_with_bad_values_lists_them_and_leaves_nothing()
    {
        var answer = await arm.PutAsync(Deployments + "/bad", Template("bad-one", """ "tagValues":{"value":[]},"friendlyName":{"value":7},"privateEndpointType":{"value":"AutoApproval"} """));
        Assert.Equal(
            ["properties.parameters.friendlyName.value", "properties.parameters.privateEndpointType.value", "properties.parameters.tagValues.value"],
            answer.Targets().Order(StringComparer.Ordinal));
        Assert.Equal(["workspaceName"], (await arm.PutAsync(Deployments + "/bad", Template("no good", ""))).Targets());
        Assert.Equal("InvalidDeploymentName", (await arm.PutAsync(Deployments + "/a%20b", Template("fine-one", ""))).Fails(HttpStatusCode.BadRequest));
        Assert.Equal("InvalidDeploymentMode", (await arm.PutAsync(Deployments + "/bad", """{"properties":{"mode":"Quick"}}""")).Fails(HttpStatusCode.BadRequest));
        (await arm.GetAsync(Deployments + "/bad")).Fails(HttpStatusCode.NotFound);
        var nowhere = $"/subscriptions/{arm.Main.SubscriptionId}/resourceGroups/nowhere/providers/Microsoft.Resources/deployments";
        Assert.Equal("ResourceGroupNotFound", (await arm.PutAsync(nowhere + "/d", Template("third-one", ""))).Fails(HttpStatusCode.NotFound));
        Assert.Equal("ResourceGroupNotFound", (await arm.GetAsync(nowhere)).Fails(HttpStatusCode.NotFound));
        Assert.Equal("SubscriptionNotFound", (await arm.GetAsync($"/subscriptions/{Guid.NewGuid()}/resourceGroups/zaffre/providers/Microsoft.Resources/deployments")).Fails(HttpStatusCode.NotFound));
    }

    [Fact]
    public async Task A_template_spliced_into_the_request_as_the_cli_does_is_read()
    {
        var answer = await arm.PutAsync(Deployments + "/spliced", """
            {"properties": {"mode": "Incremental", "parameters": {"workspaceName": {"value": "spliced-one"}, "description": {"value": "a // b /* c */ d:\"e\""}}, template:{
              // A comment, with "quotes" and a name: too.
              "resources": [ /* another */ {"type": "Microsoft.MachineLearningServices/workspaces", "name": "over
            two lines"}]
            }}}
            """);
        answer.Ok();
        Assert.Equal("a // b /* c */ d:\"e\"", (await arm.GetAsync(Path("spliced-one"))).Ok().At("properties.description"));
        Assert.Equal("InvalidRequestContent", (await arm.PutAsync(Deployments + "/spliced", """{"properties": {template:{/* no end """)).Fails(HttpStatusCode.BadRequest));
        Assert.Equal("InvalidRequestContent", (await arm.PutAsync(Deployments + "/spliced", "{\"properties")).Fails(HttpStatusCode.BadRequest));
    }

    [Fact]
    public async Task Secure_parameters_are_not_kept()
    {
        var body = JsonNode.Parse(Template("secured", """ "friendlyName":{"value":"shown"},"password":{"value":"hidden"},"AdminSecret":{"value":"hidden"},"undeclared":{"value":"hidden"} """))!;
        body["properties"]!["template"]!["parameters"] = JsonNode.Parse("""{"password":{"type":"securestring"},"adminsecret":{"type":"secureString"},"friendlyName":{"type":"string"}}""");
        (await arm.PutAsync(Deployments + "/secured", body.ToJsonString())).Ok();
        var seen = (await arm.GetAsync(Deployments + "/secured")).Ok();
        Assert.Equal("shown", seen.At("properties.parameters.friendlyName.value"));
        Assert.Equal("securestring", seen.At("properties.parameters.password.type"));
        Assert.DoesNotContain("hidden", seen.ToJsonString(), StringComparison.Ordinal);
    }

    // May deploy and read, and may not make workspaces.
    [Fact]
    public async Task Who_may_deploy_may_not_thereby_make_workspaces()
    {
        const string TagContributor = "4a9ae827-6dc8-4573-8ac7-8239d42aa03f";
        using var deployer = host.With(await Tokens.PrincipalAsync(host, TagContributor, arm.Group));
        using var body = new StringContent(Template("smuggled", ""), System.Text.Encoding.UTF8, "application/json");
        using var answer = await deployer.PutAsync(new Uri(Deployments + "/smuggle?api-version=2020-06-01", UriKind.Relative), body);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("workspaces/write", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        (await arm.GetAsync(Path("smuggled"))).Fails(HttpStatusCode.NotFound);
    }

    private string Path(string name) => arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/" + name;

    private static string Template(string workspace, string parameters) =>
        """
        {"properties":{"mode":"incremental","template":{"parameters":{"kind":{"defaultValue":"default"},"location":{"defaultValue":"[resourceGroup().location]"}},
        "resources":[{"type":"Microsoft.Storage/storageAccounts"},{"type":"Microsoft.MachineLearningServices/workspaces"}]},
        "parameters":{"workspaceName":{"value":"NAME"}MORE}}}
        """.Replace("NAME", workspace, StringComparison.Ordinal).Replace("MORE", parameters.Trim().Length == 0 ? "" : "," + parameters, StringComparison.Ordinal);
}
