using System.Net;
using System.Text;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Workspaces;

public sealed class DatastoreTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    [Fact]
    public async Task Two_datastores_exist_and_one_is_the_default()
    {
        var all = (await arm.GetAsync("~/datastores?count=30&orderByAsc=false")).Ok();
        Assert.Contains("workspaceblobstore", all.Names());
        Assert.Contains("workspaceartifactstore", all.Names());
        var first = (await arm.GetAsync("~/datastores?count=30&isDefault=true&orderByAsc=false")).Ok();
        Assert.Equal(["workspaceblobstore"], first.Names());
        Assert.Equal(["workspaceartifactstore"], (await arm.GetAsync("~/datastores?names=workspaceartifactstore")).Ok().Names());
        Assert.Equal(["workspaceartifactstore"], (await arm.GetAsync("~/datastores?searchText=ARTIFACT")).Ok().Names());
    }

    [Fact]
    public async Task A_built_in_datastore_has_what_clients_read_and_its_key_only_on_request()
    {
        var store = (await arm.GetAsync("~/datastores/WorkspaceBlobStore")).Ok();
        Assert.Equal("AzureBlob", store.At("properties.datastoreType"));
        Assert.Equal("AccountKey", store.At("properties.credentials.credentialsType"));
        Assert.Equal("true", store.At("properties.isDefault"));
        Assert.Equal("core.localhost:8443", store.At("properties.endpoint"));
        Assert.DoesNotContain("secrets", store.ToJsonString(), StringComparison.Ordinal);

        var secrets = (await arm.PostAsync("~/datastores/workspaceblobstore/listSecrets")).Ok();
        Assert.Equal("AccountKey", secrets.At("secretsType"));
        Assert.Equal((await arm.PostAsync("~/listKeys")).Ok().At("userStorageKey"), secrets.At("key"));
        Assert.Equal(secrets.At("key"), (await arm.PostAsync("~/datastores/workspaceblobstore/listSecrets", """{"expirableSecret":true,"expireAfterHours":1}""")).Ok().At("key"));
        (await arm.PostAsync("~/datastores/nowhere/listSecrets")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_built_in_datastore_cannot_be_deleted_or_moved_but_described()
    {
        (await arm.DeleteAsync("~/datastores/workspaceblobstore")).Fails(HttpStatusCode.Conflict);
        var store = (await arm.GetAsync("~/datastores/workspaceblobstore")).Ok();
        store["properties"]!["description"] = "the default";
        Assert.Equal("the default", (await arm.PutAsync("~/datastores/workspaceblobstore", store.ToJsonString())).Ok().At("properties.description"));
        store["properties"]!["containerName"] = "elsewhere";
        (await arm.PutAsync("~/datastores/workspaceblobstore", store.ToJsonString())).Fails(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task A_datastore_in_our_own_account_works_and_its_secret_is_sealed()
    {
        var account = (await arm.GetAsync("~/datastores/workspaceblobstore")).Ok().At("properties.accountName");
        var key = (await arm.PostAsync("~/listKeys")).Ok().At("userStorageKey");
        var put = await arm.PutAsync("~/datastores/mine", Blob(account, "mine", key));
        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.DoesNotContain(key, put.Body.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(key, (await arm.PostAsync("~/datastores/mine/listSecrets")).Ok().At("key"));
        var resolved = await host.Get<IDatastores>().ResolveAsync(arm.Main, "mine", CancellationToken.None);
        Assert.Equal(new BlobLocation(account, "mine", ""), resolved.Value);

        foreach (var file in Directory.GetFiles(host.Root, "zaffre.db*"))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var content = new MemoryStream();
            await stream.CopyToAsync(content);
            Assert.Equal(-1, content.ToArray().AsSpan().IndexOf(Encoding.ASCII.GetBytes(key)));
        }

        // What GET returned may be put back: the secret stays.
        var seen = (await arm.GetAsync("~/datastores/mine")).Ok();
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync("~/datastores/mine", seen.ToJsonString())).Status);
        Assert.Equal(key, (await arm.PostAsync("~/datastores/mine/listSecrets")).Ok().At("key"));
        Assert.Equal(HttpStatusCode.OK, (await arm.DeleteAsync("~/datastores/mine")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await arm.DeleteAsync("~/datastores/mine")).Status);
        (await arm.PostAsync("~/datastores/mine/listSecrets")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_wrong_key_opens_nothing()
    {
        var account = (await arm.GetAsync("~/datastores/workspaceblobstore")).Ok().At("properties.accountName");
        Assert.Equal(["properties.credentials.secrets.key"], (await arm.PutAsync("~/datastores/wrong", Blob(account, "c", "AAAA"))).Targets());
        var other = (await arm.PutAsync(arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/neighbour", """{"location":"local"}""")).Ok().At("properties.storageAccount").Split('/')[^1];
        var body = """{"properties":{"datastoreType":"AzureBlob","accountName":"ACCOUNT","containerName":"azureml","credentials":{"credentialsType":"None"}}}""";
        Assert.Equal(["properties.credentials.credentialsType"], (await arm.PutAsync("~/datastores/spy", body.Replace("ACCOUNT", other, StringComparison.Ordinal))).Targets());
        (await arm.GetAsync("~/datastores/spy")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"properties":{"datastoreType":"AzureBlob","accountName":"far","containerName":"c","credentials":{"credentialsType":"Sas","secrets":{"secretsType":"Sas","sasToken":"x"}}}}""")]
    [InlineData("""{"properties":{"datastoreType":"AzureDataLakeGen2","accountName":"far","filesystem":"c","credentials":{"credentialsType":"None"}}}""")]
    public async Task Datastores_without_an_engine_are_stored_and_refused_on_use(string body)
    {
        (await arm.PutAsync("~/datastores/far", body)).Ok();
        var used = await host.Get<IDatastores>().ResolveAsync(arm.Main, "far", CancellationToken.None);
        Assert.Equal("OperationNotSupported", used.Problem!.Code);
        var data = await arm.PutAsync("~/data/far/versions/1", """{"properties":{"dataType":"uri_file","dataUri":"azureml://datastores/far/paths/x"}}""");
        Assert.Equal("OperationNotSupported", data.Fails(HttpStatusCode.BadRequest));
        await arm.DeleteAsync("~/datastores/far");
    }

    [Fact]
    public async Task Everything_wrong_with_a_datastore_is_listed()
    {
        var answer = await arm.PutAsync("~/datastores/-bad", """{"properties":{"datastoreType":"AzureBlob","accountName":7,"credentials":{"credentialsType":"AccountKey","secrets":{"secretsType":"Sas","key":1}},"tags":[]}}""");
        Assert.Equal(
            ["name", "properties.accountName", "properties.containerName", "properties.credentials.secrets.key", "properties.credentials.secrets.secretsType", "properties.tags"],
            answer.Targets().Order(StringComparer.Ordinal));
        Assert.Equal(["properties"], (await arm.PutAsync("~/datastores/x", "{}")).Targets());
        Assert.Equal(["properties.credentials", "properties.datastoreType"], (await arm.PutAsync("~/datastores/x", """{"properties":{"datastoreType":"Tape"}}""")).Targets().Order(StringComparer.Ordinal));
        Assert.Equal("InvalidRequestContent", (await arm.PutAsync("~/datastores/x", "{")).Fails(HttpStatusCode.BadRequest));
    }

    private static string Blob(string account, string container, string key) =>
        $$$$$"""{"properties":{"datastoreType":"AzureBlob","accountName":"{{{{{account}}}}}","containerName":"{{{{{container}}}}}","credentials":{"credentialsType":"AccountKey","secrets":{"secretsType":"AccountKey","key":"{{{{{key}}}}}"}}}}""";
}
