using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tests.Http.Workspaces;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Assets;

public sealed class AssetTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    [Fact]
    public async Task The_first_version_makes_its_container_and_counts_go_on_from_it()
    {
        (await arm.GetAsync("~/data/first")).Fails(HttpStatusCode.NotFound);
        Assert.Empty((await arm.GetAsync("~/data/first/versions?$orderBy=createdtime%20desc&$top=1")).Ok().Names());
        var put = await arm.PutAsync("~/data/first/versions/3", Data("a"));
        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal($"{arm.Main.Id}/data/first/versions/3", put.Body.At("id"));
        Assert.Equal("Microsoft.MachineLearningServices/workspaces/data/versions", put.Body.At("type"));
        Assert.NotEmpty(put.Body.At("systemData.lastModifiedAt"));
        (await arm.PutAsync("~/data/first/versions/alpha", Data("b"))).Ok();
        (await arm.PutAsync("~/data/first/versions/2", Data("c"))).Ok();

        var container = (await arm.GetAsync("~/data/first")).Ok();
        Assert.Equal("4", container.At("properties.nextVersion"));
        Assert.Equal("2", container.At("properties.latestVersion"));
        Assert.Equal("uri_file", container.At("properties.dataType"));
        Assert.Equal(["2"], (await arm.GetAsync("~/data/first/versions?$orderBy=createdtime%20desc&$top=1")).Ok().Names());
        Assert.Equal("2", (await arm.GetAsync("~/data/first/versions/latest")).Ok().At("name"));

        Assert.Equal(HttpStatusCode.OK, (await arm.DeleteAsync("~/data/first/versions/3")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await arm.DeleteAsync("~/data/first/versions/3")).Status);
        Assert.Equal("4", (await arm.GetAsync("~/data/first")).Ok().At("properties.nextVersion"));
        Assert.Equal(HttpStatusCode.OK, (await arm.DeleteAsync("~/data/first")).Status);
        (await arm.GetAsync("~/data/first/versions/2")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("data", """{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/a"}""", """{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/b"}""")]
    [InlineData("models", """{"modelType":"custom_model","modelUri":"azureml://datastores/workspaceblobstore/paths/a","flavors":{}}""", """{"modelType":"mlflow_model","modelUri":"azureml://datastores/workspaceblobstore/paths/a"}""")]
    [InlineData("environments", """{"image":"ubuntu","condaFile":"dependencies: [python]"}""", """{"image":"ubuntu","condaFile":"dependencies: [pip]"}""")]
    [InlineData("codes", """{"codeUri":"azureml://datastores/workspaceblobstore/paths/a"}""", """{"codeUri":"azureml://datastores/workspaceblobstore/paths/b"}""")]
    [InlineData("components", """{"componentSpec":{"name":"c","type":"command","command":"x","environment":"azureml:e:1"}}""", """{"componentSpec":{"name":"c","type":"command","command":"y","environment":"azureml:e:1"}}""")]
    public async Task Equal_content_is_accepted_again_and_other_content_is_a_conflict(string type, string properties, string other)
    {
        var path = $"~/{type}/same/versions/1";
        Assert.Equal(HttpStatusCode.Created, (await arm.PutAsync(path, $$$$"""{"properties":{{{{properties}}}}}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync(path, $$$$"""{"properties":{{{{properties}}}}}""")).Status);
        (await arm.PutAsync(path, $$$$"""{"properties":{{{{other}}}}}""")).Fails(HttpStatusCode.Conflict);

        // Whole-resource PUT is the update verb: what GET returned, with another description, tags and archived state.
        var seen = (await arm.GetAsync(path)).Ok();
        seen["properties"]!["description"] = "new";
        seen["properties"]!["tags"] = new JsonObject { ["k"] = "v" };
        seen["properties"]!["isArchived"] = true;
        var put = await arm.PutAsync(path, seen.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, put.Status);
        Assert.Equal(("new", "v", "true"), (put.Body.At("properties.description"), put.Body.At("properties.tags.k"), put.Body.At("properties.isArchived")));

        Assert.Empty((await arm.GetAsync($"~/{type}/same/versions?listViewType=ActiveOnly")).Ok().Names());
        Assert.Equal(["1"], (await arm.GetAsync($"~/{type}/same/versions?listViewType=ArchivedOnly")).Ok().Names());
        Assert.Equal(["1"], (await arm.GetAsync($"~/{type}/same/versions?listViewType=All")).Ok().Names());
        await arm.DeleteAsync($"~/{type}/same");
    }

    [Fact]
    public async Task The_same_place_under_another_spelling_is_the_same_content()
    {
        var store = (await arm.GetAsync("~/datastores/workspaceblobstore")).Ok();
        var (account, container) = (store.At("properties.accountName"), store.At("properties.containerName"));
        var code = (string uri) => $$$"""{"properties":{"codeUri":"{{{uri}}}","isAnonymous":true}}""";
        (await arm.PutAsync("~/codes/guid/versions/1", code($"https://{account}.blob.core.windows.net/{container}/LocalUpload/h/src"))).Ok();
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync("~/codes/guid/versions/1", code($"https://{account}.blob.core.localhost:8443/{container}/LocalUpload/h/src/"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync("~/codes/guid/versions/1", code("azureml://datastores/workspaceblobstore/paths/LocalUpload/h/src"))).Status);
        (await arm.PutAsync("~/codes/guid/versions/1", code("azureml://datastores/workspaceblobstore/paths/LocalUpload/h/other"))).Fails(HttpStatusCode.Conflict);
        Assert.DoesNotContain("guid", (await arm.GetAsync("~/codes")).Ok().Names());
    }

    [Fact]
    public async Task Lists_page_filter_and_order()
    {
        for (var i = 1; i <= 35; i++)
        {
            var tags = i % 2 == 0 ? """,{"even":"yes"}""" : ",{}";
            (await arm.PutAsync($"~/models/many/versions/{i}", $$$$"""{"properties":{"modelUri":"azureml://datastores/workspaceblobstore/paths/m{{{{i}}}}","tags":{{{{tags[1..]}}}},"properties":{"n":"{{{{i}}}}"}}}""")).Ok();
        }

        var first = (await arm.GetAsync("~/models/many/versions")).Ok();
        Assert.Equal(30, first.Names().Length);
        var rest = (await arm.GetAsync(first.At("nextLink"))).Ok();
        Assert.Equal(5, rest.Names().Length);
        Assert.Null(rest["nextLink"]);
        Assert.Equal(35, first.Names().Concat(rest.Names()).Distinct().Count());
        Assert.Equal(17, (await arm.GetAsync("~/models/many/versions?tags=even=yes")).Ok().Names().Length);
        Assert.Equal(17, (await arm.GetAsync("~/models/many/versions?tags=even&$top=20")).Ok().Names().Length);
        Assert.Empty((await arm.GetAsync("~/models/many/versions?tags=even=no")).Ok().Names());
        Assert.Equal(["7"], (await arm.GetAsync("~/models/many/versions?properties=n=7")).Ok().Names());
        Assert.Equal(["9"], (await arm.GetAsync("~/models/many/versions?version=9")).Ok().Names());
        Assert.Equal(["35", "34"], (await arm.GetAsync("~/models/many/versions?$orderBy=createdtime%20desc&$top=2")).Ok().Names());
        Assert.Contains("many", (await arm.GetAsync("~/models?listViewType=ActiveOnly&count=5")).Ok().Names());
        (await arm.GetAsync("~/models/many/versions?$skip=nonsense")).Fails(HttpStatusCode.BadRequest);
        (await arm.GetAsync("~/models/many/versions?listViewType=Some")).Fails(HttpStatusCode.BadRequest);
        (await arm.GetAsync("~/models/many/versions?$top=-1")).Fails(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Names_with_azureml_in_front_mean_the_name()
    {
        (await arm.PutAsync("~/environments/azureml%3Aenv1/versions/1", """{"properties":{"image":"ubuntu"}}""")).Ok();
        Assert.Equal($"{arm.Main.Id}/environments/env1/versions/1", (await arm.GetAsync("~/environments/env1/versions/1")).Ok().At("id"));
        Assert.Equal(["1"], (await arm.GetAsync("~/environments/azureml%3Aenv1/versions?$orderBy=createdtime%20desc&$top=1")).Ok().Names());
    }

    [Fact]
    public async Task A_container_is_archived_apart_and_its_counts_are_not_the_callers()
    {
        (await arm.PutAsync("~/data/boxed/versions/1", Data("a"))).Ok();
        var container = (await arm.GetAsync("~/data/boxed")).Ok();
        container["properties"]!["isArchived"] = true;
        container["properties"]!["nextVersion"] = "77";
        Assert.Equal("2", (await arm.PutAsync("~/data/boxed", container.ToJsonString())).Ok().At("properties.nextVersion"));
        Assert.DoesNotContain("boxed", (await arm.GetAsync("~/data?listViewType=ActiveOnly")).Ok().Names());
        Assert.Contains("boxed", (await arm.GetAsync("~/data?listViewType=ArchivedOnly")).Ok().Names());
        (await arm.PutAsync("~/data/boxed/versions/2", Data("b"))).Ok();
        Assert.Equal("3", (await arm.GetAsync("~/data/boxed")).Ok().At("properties.nextVersion"));
    }

    [Fact]
    public async Task A_component_without_version_is_asked_for_by_its_alias()
    {
        (await arm.GetAsync("~/components/train/versions/azureml_default")).Fails(HttpStatusCode.NotFound);
        var spec = """{"properties":{"componentSpec":{"name":"train","type":"command","command":"x","environment":"azureml:e:1","inputs":{"lr":{"type":"number","default":"0.1"}},"_source":"YAML.COMPONENT"}}}""";
        (await arm.PutAsync("~/components/train/versions/5", spec)).Ok();
        var found = (await arm.GetAsync("~/components/train/versions/azureml_default")).Ok();
        Assert.Equal("5", found.At("name"));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(spec)!["properties"]!["componentSpec"], found["properties"]!["componentSpec"]));
        Assert.Equal(["version"], (await arm.PutAsync("~/components/train/versions/azureml_default", spec)).Targets());
    }

    [Fact]
    public async Task Models_always_have_flavors_and_a_uri_that_clients_can_download()
    {
        (await arm.PutAsync("~/models/plain/versions/1", """{"properties":{"modelUri":"azureml://datastores/workspaceblobstore/paths/m"}}""")).Ok();
        var model = (await arm.GetAsync("~/models/plain/versions/1")).Ok();
        Assert.Equal("{}", model["properties"]!["flavors"]!.ToJsonString());
        Assert.Equal("custom_model", model.At("properties.modelType"));
        Assert.Equal("azureml://datastores/workspaceblobstore/paths/m", model.At("properties.modelUri"));
        var store = (await arm.GetAsync("~/datastores/workspaceblobstore")).Ok();
        var url = $"https://{store.At("properties.accountName")}.blob.core.windows.net/{store.At("properties.containerName")}/x/y";
        var long_ = (await arm.PutAsync("~/models/plain/versions/2", $$$"""{"properties":{"modelUri":"{{{url}}}"}}""")).Ok().At("properties.modelUri");
        Assert.Equal($"azureml://subscriptions/{arm.Main.SubscriptionId}/resourcegroups/zaffre/workspaces/main/datastores/workspaceblobstore/paths/x/y", long_);
    }

    [Theory]
    [InlineData("data", """{"dataType":"table","dataUri":7,"tags":[],"isArchived":"no","description":1,"properties":{"a":{}}}""", "properties.dataType properties.dataUri properties.description properties.isArchived properties.properties.a properties.tags")]
    [InlineData("data", "{}", "properties.dataType properties.dataUri")]
    [InlineData("data", """{"dataType":"uri_file","dataUri":"./local.csv"}""", "properties.dataUri")]
    [InlineData("data", """{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/../../x"}""", "properties.dataUri")]
    [InlineData("data", """{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/%2e%2e/x"}""", "properties.dataUri")]
    [InlineData("data", """{"dataType":"uri_file","dataUri":"azureml://datastores/nowhere/paths/x"}""", "properties.dataUri")]
    [InlineData("models", """{"modelType":"pickle","flavors":[]}""", "properties.flavors properties.modelType properties.modelUri")]
    [InlineData("environments", "{}", "properties.image")]
    [InlineData("environments", """{"image":"a b","condaFile":"a: [","osType":3}""", "properties.condaFile properties.image properties.osType")]
    [InlineData("environments", """{"condaFile":"just text"}""", "properties.condaFile")]
    [InlineData("codes", "{}", "properties.codeUri")]
    [InlineData("components", """{"componentSpec":{"name":1}}""", "properties.componentSpec.command properties.componentSpec.environment properties.componentSpec.name properties.componentSpec.type")]
    [InlineData("components", """{"componentSpec":"text"}""", "properties.componentSpec")]
    public async Task Everything_wrong_with_a_version_is_listed_and_nothing_is_created(string type, string properties, string targets)
    {
        var answer = await arm.PutAsync($"~/{type}/broken/versions/1", $$$$"""{"properties":{{{{properties}}}}}""");
        Assert.Equal(targets, string.Join(' ', answer.Targets().Order(StringComparer.Ordinal)));
        (await arm.GetAsync($"~/{type}/broken/versions/1")).Fails(HttpStatusCode.NotFound);
        (await arm.GetAsync($"~/{type}/broken")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("~/data/-x/versions/y%20z", "name version")]
    [InlineData("~/data/x/versions/latest", "version")]
    [InlineData("~/data/a%2Fb/versions/1", "name")]
    public async Task Names_and_versions_have_a_syntax(string path, string targets) =>
        Assert.Equal(targets, string.Join(' ', (await arm.PutAsync(path, Data("a"))).Targets()));

    [Fact]
    public async Task Overlong_names_and_bodies_that_are_no_objects_are_refused()
    {
        Assert.Equal(["name"], (await arm.PutAsync($"~/data/{new string('a', 256)}/versions/1", Data("a"))).Targets());
        Assert.Equal(["properties"], (await arm.PutAsync("~/data/x/versions/1", """{"properties":[]}""")).Targets());
        Assert.Equal("InvalidRequestContent", (await arm.PutAsync("~/data/x/versions/1", "[]")).Fails(HttpStatusCode.BadRequest));
    }

    [Theory]
    [InlineData("environments", """{"build":{"contextUri":"ctx","dockerfilePath":"Dockerfile"}}""")]
    [InlineData("environments", """{"build":{"contextUri":"/home/me/ctx"}}""")]
    [InlineData("environments", """{"build":{"contextUri":"git+https://example.org/x.git"}}""")]
    [InlineData("environments", """{"image":"windows","osType":"Windows"}""")]
    [InlineData("components", """{"componentSpec":{"name":"p","type":"spark"}}""")]
    [InlineData("data", """{"dataType":"uri_file","dataUri":"abfss://fs@acct.dfs.core.windows.net/x"}""")]
    [InlineData("models", """{"modelUri":"azureml://registries/azureml/models/m/versions/1"}""")]
    [InlineData("models", """{"modelUri":"https://example.org/model.pkl"}""")]
    public async Task What_has_no_engine_is_refused_by_name(string type, string properties) =>
        Assert.Equal("OperationNotSupported", (await arm.PutAsync($"~/{type}/later/versions/1", $$$$"""{"properties":{{{{properties}}}}}""")).Fails(HttpStatusCode.BadRequest));

    [Fact]
    public async Task A_stale_etag_is_refused()
    {
        using var client = host.With(await Identity.Tokens.OwnerAsync(host));
        (await arm.PutAsync("~/data/tagged/versions/1", Data("a"))).Ok();
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"{arm.Main.Id}/data/tagged/versions/1?api-version=1", UriKind.Relative)) { Content = new StringContent(Data("a")) };
        request.Headers.TryAddWithoutValidation("If-Match", "\"0\"");
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.PreconditionFailed, answer.StatusCode);
    }

    [Fact]
    public async Task Modules_register_versions_in_one_unit_and_find_them_by_any_reference()
    {
        var assets = host.Get<IAssets>();
        var asset = new NewAsset(AssetType.Data, "registered", null, (JsonObject)JsonNode.Parse(Data("r"))!["properties"]!.DeepClone());
        var database = host.Get<IDatabase>();
        var id = await database.WriteAsync(scope => assets.Register(scope, arm.Main, asset, Caller.System), CancellationToken.None);
        Assert.Equal(arm.Main.Child("data", "registered").Child("versions", "1"), id);
        Assert.Equal(id, await database.WriteAsync(scope => assets.Register(scope, arm.Main, asset with { Version = "1" }, Caller.System), CancellationToken.None));
        var other = asset with { Version = "1", Properties = new JsonObject { ["dataType"] = "uri_file", ["dataUri"] = "azureml://datastores/workspaceblobstore/paths/q" } };
        await Assert.ThrowsAsync<ProblemException>(() => database.WriteAsync(scope => assets.Register(scope, arm.Main, other, Caller.System), CancellationToken.None));

        foreach (var reference in new[] { "azureml:registered:1", "registered:1", "azureml:registered@latest", id.Value, "azureml:" + id.Value, await assets.ToAssetIdAsync(id, CancellationToken.None) })
        {
            var found = await assets.ResolveAsync(arm.Main, AssetType.Data, reference, CancellationToken.None);
            Assert.True(found.Succeeded, reference);
            Assert.Equal(id, found.Value.Id);
        }

        foreach (var (reference, kind) in new[] { ("registered", ProblemKind.Invalid), ("azureml:registered:9", ProblemKind.NotFound), ("azureml://registries/r/data/d/versions/1", ProblemKind.Unsupported), (id.Value.Replace("/main/", "/other/", StringComparison.Ordinal), ProblemKind.Invalid), (id.Value.Replace("/data/", "/models/", StringComparison.Ordinal), ProblemKind.Invalid) })
        {
            Assert.Equal(kind, (await assets.ResolveAsync(arm.Main, AssetType.Data, reference, CancellationToken.None)).Problem?.Kind);
        }
    }

    private static string Data(string path) => $$$"""{"properties":{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/{{{path}}}"}}""";
}
