using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Endpoints;

public sealed class OnlineEndpointTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    private static string Body(string properties = """{"authMode":"Key"}""") => $$"""{"location":"local","tags":{"a":"b"},"properties":{{properties}}}""";

    [Fact]
    public async Task An_endpoint_is_ready_at_once_and_comes_back_as_it_was_sent_with_what_clients_need()
    {
        var put = await arm.PutAsync("~/onlineEndpoints/first-one", Body("""{"authMode":"key","properties":{},"traffic":{},"mirrorTraffic":{},"own":1}"""));
        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal("Succeeded", put.Body.At("properties.provisioningState"));
        Assert.Equal("Key", put.Body.At("properties.authMode"));
        Assert.Equal("1", put.Body.At("properties.own"));
        Assert.Equal("https://localhost:8444/first-one/score", put.Body.At("properties.scoringUri"));
        Assert.Equal("https://localhost:8444/first-one/swagger.json", put.Body.At("properties.swaggerUri"));
        Assert.NotEmpty(put.Body.At("systemData.createdAt"));
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync("~/onlineEndpoints/first-one", Body())).Status);
        Assert.Contains("first-one", (await arm.GetAsync("~/onlineEndpoints")).Ok().Names());
        Assert.Empty((await arm.GetAsync("~/onlineEndpoints/first-one/deployments")).Ok().Names());
    }

    [Fact]
    public async Task Everything_wrong_with_an_endpoint_is_listed_and_nothing_is_made()
    {
        var put = await arm.PutAsync("~/onlineEndpoints/wrong", Body("""{"authMode":"Password","mirrorTraffic":{"a":10},"compute":"/x","traffic":{"blue":50,"green":"x"},"keys":{"primaryKey":"short"}}"""));
        Assert.Equal(
            ["properties.authMode", "properties.compute", "properties.keys.primaryKey", "properties.mirrorTraffic.a", "properties.traffic", "properties.traffic.blue", "properties.traffic.green"],
            put.Targets().Order(StringComparer.Ordinal));
        (await arm.GetAsync("~/onlineEndpoints/wrong")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("ab")]
    [InlineData("1abc")]
    [InlineData("abc-")]
    [InlineData("a_bc")]
    [InlineData("abcdefghijabcdefghijabcdefghijabc")]
    public async Task A_name_that_cannot_stand_in_a_url_is_refused(string name) =>
        (await arm.PutAsync($"~/onlineEndpoints/{name}", Body())).Fails(HttpStatusCode.BadRequest);

    [Fact]
    public async Task Keys_are_listed_regenerated_and_never_part_of_the_document()
    {
        (await arm.PutAsync("~/onlineEndpoints/keys-one", Body("""{"authMode":"Key","keys":{"primaryKey":"brought-along-0123456789"}}"""))).Ok();
        Assert.DoesNotContain("brought-along", (await arm.GetAsync("~/onlineEndpoints/keys-one")).Ok().ToJsonString(), StringComparison.Ordinal);
        var keys = (await arm.PostAsync("~/onlineEndpoints/keys-one/listKeys")).Ok();
        Assert.Equal("brought-along-0123456789", keys.At("primaryKey"));
        Assert.True(keys.At("secondaryKey").Length >= 32);

        // The SDK sends the present key along when it wants a new one.
        (await arm.PostAsync("~/onlineEndpoints/keys-one/regenerateKeys", """{"keyType":"Primary","keyValue":"brought-along-0123456789"}""")).Ok();
        var after = (await arm.PostAsync("~/onlineEndpoints/keys-one/listKeys")).Ok();
        Assert.NotEqual("brought-along-0123456789", after.At("primaryKey"));
        Assert.Equal(keys.At("secondaryKey"), after.At("secondaryKey"));
        (await arm.PostAsync("~/onlineEndpoints/keys-one/regenerateKeys", """{"keyType":"Third"}""")).Fails(HttpStatusCode.BadRequest);
        (await arm.PostAsync("~/onlineEndpoints/keys-one/token")).Fails(HttpStatusCode.BadRequest);
        (await arm.PostAsync("~/onlineEndpoints/not-there/listKeys")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task An_endpoint_with_tokens_gives_one_and_has_no_keys_to_list()
    {
        (await arm.PutAsync("~/onlineEndpoints/tokens-one", Body("""{"authMode":"AMLToken"}"""))).Ok();
        var token = (await arm.PostAsync("~/onlineEndpoints/tokens-one/token")).Ok();
        Assert.Equal(3, token.At("accessToken").Split('.').Length);
        Assert.True(token["expiryTimeUtc"]!.GetValue<long>() > DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        (await arm.PostAsync("~/onlineEndpoints/tokens-one/listKeys")).Fails(HttpStatusCode.BadRequest);
        (await arm.PutAsync("~/onlineEndpoints/tokens-one", Body())).Fails(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task An_endpoint_with_access_tokens_has_neither_keys_nor_tokens_of_its_own()
    {
        Assert.Equal("AADToken", (await arm.PutAsync("~/onlineEndpoints/aad-one", Body("""{"authMode":"aadtoken"}"""))).Ok().At("properties.authMode"));
        (await arm.PostAsync("~/onlineEndpoints/aad-one/listKeys")).Fails(HttpStatusCode.BadRequest);
        (await arm.PostAsync("~/onlineEndpoints/aad-one/token")).Fails(HttpStatusCode.BadRequest);
        (await arm.PutAsync("~/onlineEndpoints/aad-one", Body("""{"authMode":"AMLToken"}"""))).Fails(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Tags_are_patched_and_other_members_need_a_put()
    {
        (await arm.PutAsync("~/onlineEndpoints/patched", Body())).Ok();
        var patched = (await arm.SendAsync(HttpMethod.Patch, "~/onlineEndpoints/patched", """{"tags":{"a":null,"c":"d"}}""")).Ok();
        Assert.Equal("""{"c":"d"}""", patched["tags"]!.ToJsonString());
        (await arm.SendAsync(HttpMethod.Patch, "~/onlineEndpoints/patched", """{"properties":{}}""")).Fails(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_deleted_endpoint_is_gone_and_its_name_is_free_again_with_other_keys()
    {
        (await arm.PutAsync("~/onlineEndpoints/again", Body())).Ok();
        var before = (await arm.PostAsync("~/onlineEndpoints/again/listKeys")).Ok().At("primaryKey");
        Assert.Equal(HttpStatusCode.OK, (await arm.DeleteAsync("~/onlineEndpoints/again")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await arm.DeleteAsync("~/onlineEndpoints/again")).Status);
        (await arm.PutAsync("~/onlineEndpoints/again", Body())).Ok();
        Assert.NotEqual(before, (await arm.PostAsync("~/onlineEndpoints/again/listKeys")).Ok().At("primaryKey"));
    }

    [Fact]
    public async Task Everything_wrong_with_a_deployment_is_listed()
    {
        (await arm.PutAsync("~/onlineEndpoints/host-one", Body())).Ok();
        var body = """
            {"location":"local","sku":{"name":"Default","capacity":0},"properties":{
              "endpointComputeType":"Managed","model":"azureml:none:1","environmentId":"azureml:none:1","modelMountPath":"/usr/models",
              "codeConfiguration":{"scoringScript":"../score.py"},"environmentVariables":{"a":{}},
              "scaleSettings":{"scaleType":"TargetUtilization"},"requestSettings":{"requestTimeout":"5s","maxConcurrentRequestsPerInstance":0}}}
            """;
        Assert.Equal(
            [
                "properties.codeConfiguration.codeId", "properties.codeConfiguration.scoringScript", "properties.environmentId", "properties.environmentVariables.a", "properties.model",
                "properties.modelMountPath", "properties.requestSettings.maxConcurrentRequestsPerInstance", "properties.requestSettings.requestTimeout", "properties.scaleSettings", "sku.capacity",
            ],
            (await arm.PutAsync("~/onlineEndpoints/host-one/deployments/blue", body)).Targets().Order(StringComparer.Ordinal));
        (await arm.GetAsync("~/onlineEndpoints/host-one/deployments/blue")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Kinds_without_an_engine_are_refused_by_name()
    {
        (await arm.PutAsync("~/onlineEndpoints/host-two", Body())).Ok();
        var kubernetes = await arm.PutAsync("~/onlineEndpoints/host-two/deployments/blue", Body("""{"endpointComputeType":"Kubernetes"}"""));
        Assert.Contains("Kubernetes", kubernetes.Body.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("properties.endpointComputeType", kubernetes.Targets());
    }

    [Fact]
    public async Task A_deployment_of_an_endpoint_that_does_not_exist_is_not_found() =>
        (await arm.PutAsync("~/onlineEndpoints/nowhere/deployments/blue", Body("""{"endpointComputeType":"Managed"}"""))).Fails(HttpStatusCode.NotFound);

    [Fact]
    public async Task Yaml_of_an_endpoint_becomes_its_put_and_wrong_keys_are_told_with_their_place()
    {
        var answer = (await ResolveAsync("online-endpoint", "name: from-yaml\nauth_mode: aad_token\ntraffic:\n  blue: 100\n")).Ok();
        var request = (JsonObject)answer["requests"]![0]!;
        Assert.Equal($"{arm.Main.Id}/onlineEndpoints/from-yaml?api-version=2024-10-01", request.At("path"));
        Assert.Equal(("100", "AADToken"), (request.At("body.properties.traffic.blue"), request.At("body.properties.authMode")));
        var wrong = await ResolveAsync("online-endpoint", "name: x\nauth_mode: password\nspeed: 9\n");
        Assert.Equal(["main.yml:1:7 name", "main.yml:2:12 auth_mode", "main.yml:3:1 speed"], wrong.Targets().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Yaml_of_a_deployment_asks_for_uploads_and_puts_code_environment_and_deployment()
    {
        var answer = (await ResolveAsync(
            "online-deployment",
            "name: blue\nendpoint_name: iris\nmodel:\n  path: ./model\ncode_configuration:\n  code: ./src\n  scoring_script: score.py\nenvironment:\n  image: ubuntu\ninstance_type: Standard_DS3_v2\nrequest_settings:\n  request_timeout_ms: 3000\n")).Ok();
        Assert.Equal(["./model", "./src"], answer["uploads"]!.AsArray().Select(u => u!["local"]!.GetValue<string>()));
        var last = (JsonObject)answer["requests"]!.AsArray()[^1]!;
        Assert.EndsWith("/onlineEndpoints/iris/deployments/blue?api-version=2024-10-01", last.At("path"), StringComparison.Ordinal);
        Assert.Equal("PT3S", last.At("body.properties.requestSettings.requestTimeout"));
        Assert.Equal("score.py", last.At("body.properties.codeConfiguration.scoringScript"));
        Assert.Equal("1", last.At("body.sku.capacity"));
    }

    private Task<(HttpStatusCode Status, JsonObject Body)> ResolveAsync(string kind, string yaml) => arm.PostAsync(
        $"/zaffre/v1{arm.Main.Id}/yaml:resolve",
        new JsonObject { ["kind"] = kind, ["file"] = "main.yml", ["files"] = new JsonObject { ["main.yml"] = yaml } }.ToJsonString());
}
