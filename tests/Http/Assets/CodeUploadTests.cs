using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Assets;

/// <summary>How clients of 2023 and later upload code: ask by hash, take a container, upload with its signature, register.</summary>
public sealed class CodeUploadTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    private readonly Arm arm = new(host);

    [Fact]
    public async Task An_unknown_name_and_an_unknown_hash_are_an_empty_list()
    {
        Assert.Empty((await arm.GetAsync("~/codes/nobody/versions?hash=0123&hashVersion=202208")).Ok().Names());
        Assert.Empty((await arm.GetAsync("~/codes/nobody/versions")).Ok().Names());
    }

    [Fact]
    public async Task Code_is_found_by_hash_under_every_name_and_its_own_first()
    {
        (await arm.PutAsync("~/codes/one/versions/1", Code("a", "h1"))).Ok();
        (await arm.PutAsync("~/codes/two/versions/7", Code("b", "h1"))).Ok();
        (await arm.PutAsync("~/codes/two/versions/8", Code("c", "h2"))).Ok();

        var anywhere = (await arm.GetAsync("~/codes/three/versions?hash=h1&hashVersion=202208")).Ok();
        Assert.Equal(["1", "7"], anywhere.Names());
        Assert.Equal($"{arm.Main.Id}/codes/one/versions/1", anywhere["value"]![0]!["id"]!.GetValue<string>());
        Assert.Equal(["7", "1"], (await arm.GetAsync("~/codes/two/versions?hash=h1")).Ok().Names());

        (await arm.PutAsync("~/codes/one/versions/1", Code("a", "h1", archived: true))).Ok();
        Assert.Equal(["7"], (await arm.GetAsync("~/codes/three/versions?hash=h1")).Ok().Names());
        (await arm.DeleteAsync("~/codes/two")).Ok();
        Assert.Empty((await arm.GetAsync("~/codes/three/versions?hash=h1")).Ok().Names());
    }

    [Fact]
    public async Task An_upload_goes_to_a_container_of_its_own_and_the_code_is_what_was_uploaded()
    {
        var started = await StartAsync("~/codes/mine/versions/1");
        Assert.Equal("TemporaryBlobReference", started.At("pendingUploadType"));
        Assert.Equal("SAS", started.At("blobReferenceForConsumption.credential.credentialType"));
        Assert.StartsWith($"/subscriptions/{arm.Main.SubscriptionId}/", started.At("blobReferenceForConsumption.storageAccountArmId"), StringComparison.Ordinal);
        var container = started.At("blobReferenceForConsumption.blobUri");
        var signed = new Uri(started.At("blobReferenceForConsumption.credential.sasUri"));
        Assert.Equal(container, signed.GetLeftPart(UriPartial.Path));
        Assert.Equal(2, new Uri(container).Segments.Length);
        Assert.NotEqual(container, (await StartAsync("~/codes/mine/versions/1")).At("blobReferenceForConsumption.blobUri"));

        Assert.Equal(HttpStatusCode.Created, await UploadAsync(signed, "src/train.py"));
        Assert.Equal(HttpStatusCode.Created, (await arm.PutAsync("~/codes/mine/versions/1", Body(container + "/src", "h9"))).Status);
        var code = (await arm.GetAsync("~/codes/mine/versions/1")).Ok();
        Assert.Equal(container + "/src", code.At("properties.codeUri"));
        Assert.Equal("202208", code.At("properties.properties.hash_version"));
        (await arm.PutAsync("~/jobs/uploaded", $$$"""{"properties":{"jobType":"Command","command":"true","codeId":"{{{arm.Main.Id}}}/codes/mine/versions/1","environmentId":"{{{await EnvironmentAsync()}}}"}}""")).Ok();
    }

    [Fact]
    public async Task The_hosts_are_those_that_the_asking_client_reaches()
    {
        var direct = await StartAsync("~/codes/hosts/versions/1");
        var account = new Uri(direct.At("blobReferenceForConsumption.blobUri")).Host.Split('.')[0];
        Assert.StartsWith($"https://{account}.blob.core.localhost:8443/upload-", direct.At("blobReferenceForConsumption.blobUri"), StringComparison.Ordinal);
        var proxied = (await arm.SendAsync(HttpMethod.Post, "~/codes/hosts/versions/1/startPendingUpload", "{}", asHost: "management.azure.com")).Ok();
        var place = proxied.At("blobReferenceForConsumption.blobUri");
        Assert.StartsWith($"https://{account}.blob.core.windows.net/upload-", place, StringComparison.Ordinal);
        Assert.StartsWith(place + "?", proxied.At("blobReferenceForConsumption.credential.sasUri"), StringComparison.Ordinal);

        // The same place under the other host is the same content, and each client reads the host that it reaches.
        var other = place.Replace(".blob.core.windows.net/", ".blob.core.localhost:8443/", StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Created, (await arm.SendAsync(HttpMethod.Put, "~/codes/hosts/versions/1", Body(place + "/src", "h"), asHost: "management.azure.com")).Status);
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync("~/codes/hosts/versions/1", Body(other + "/src", "h"))).Status);
        Assert.Equal(other + "/src", (await arm.GetAsync("~/codes/hosts/versions/1")).Ok().At("properties.codeUri"));
        Assert.Equal(place + "/src", (await arm.SendAsync(HttpMethod.Get, "~/codes/hosts/versions/1", asHost: "management.azure.com")).Ok().At("properties.codeUri"));
    }

    [Fact]
    public async Task An_anonymous_component_is_the_same_under_another_name_and_not_with_another_command()
    {
        static string Spec(string name, string command) => $$$$"""{"properties":{"isAnonymous":true,"componentSpec":{"name":"{{{{name}}}}","version":"{{{{name}}}}","type":"command","command":"{{{{command}}}}","environment":"azureml:e:1"} } }""";
        const string path = "~/components/azureml_anonymous/versions/0a0b0c0d-0000-0000-0000-000000000001";
        Assert.Equal(HttpStatusCode.Created, (await arm.PutAsync(path, Spec("one", "true"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync(path, Spec("two", "true"))).Status);
        (await arm.PutAsync(path, Spec("one", "false"))).Fails(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task An_anonymous_code_may_be_registered_again_and_other_code_not_under_its_version()
    {
        var container = (await StartAsync("~/codes/guid/versions/1")).At("blobReferenceForConsumption.blobUri");
        Assert.Equal(HttpStatusCode.Created, (await arm.PutAsync("~/codes/guid/versions/1", Body(container + "/src", "h", anonymous: true))).Status);
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync("~/codes/guid/versions/1", Body(container + "/src", "h", anonymous: true))).Status);
        var fresh = (await StartAsync("~/codes/guid/versions/1")).At("blobReferenceForConsumption.blobUri");
        (await arm.PutAsync("~/codes/guid/versions/1", Body(fresh + "/src", "other", anonymous: true))).Fails(HttpStatusCode.Conflict);
        Assert.DoesNotContain("guid", (await arm.GetAsync("~/codes")).Ok().Names());
    }

    [Fact]
    public async Task An_upload_of_one_workspace_is_no_code_of_another()
    {
        var other = arm.Main with { Name = "uploads-other" };
        (await arm.PutAsync(other.Id.Value, """{"location":"local","properties":{}}""")).Ok();
        var theirs = (await arm.PostAsync(other.Id + "/codes/c/versions/1/startPendingUpload", "{}")).Ok().At("blobReferenceForConsumption.blobUri");

        Assert.Equal(["properties.codeUri"], (await arm.PutAsync("~/codes/stolen/versions/1", Body(theirs + "/src", "h"))).Targets());
        (await arm.PutAsync(other.Id + "/codes/c/versions/1", Body(theirs + "/src", "h"))).Ok();
    }

    [Fact]
    public async Task Bad_names_and_other_kinds_of_upload_are_refused_and_a_reader_gets_no_signature()
    {
        var refused = await arm.PostAsync("~/codes/a%20b/versions/latest/startPendingUpload", """{"pendingUploadType":"None"}""");
        Assert.Equal(["name", "version", "pendingUploadType"], refused.Targets());
        (await arm.PostAsync("~/codes/c/versions/1/startPendingUpload", "[]")).Fails(HttpStatusCode.BadRequest);

        using var reader = await host.PrincipalAsync(Reader);
        using var answer = await reader.PostAsync(
            new Uri($"{arm.Main.Id}/codes/c/versions/1/startPendingUpload?api-version=2023-04-01", UriKind.Relative), new StringContent("{}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    private async Task<JsonObject> StartAsync(string version) =>
        (await arm.PostAsync(version + "/startPendingUpload", """{"pendingUploadType":"TemporaryBlobReference"}""")).Ok();

    private async Task<HttpStatusCode> UploadAsync(Uri container, string name)
    {
        using var client = host.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"{container.GetLeftPart(UriPartial.Path)}/{name}{container.Query}")) { Content = new ByteArrayContent("print(1)"u8.ToArray()) };
        request.Headers.Add("x-ms-blob-type", "BlockBlob");
        request.Headers.Add("x-ms-version", "2026-06-06");
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private async Task<string> EnvironmentAsync() =>
        (await arm.PutAsync("~/environments/uploads/versions/1", """{"properties":{"image":"ubuntu"}}""")).Ok().At("id");

    private static string Code(string place, string hash, bool archived = false) => Body("azureml://datastores/workspaceblobstore/paths/" + place, hash, archived: archived);

    private static string Body(string uri, string hash, bool anonymous = false, bool archived = false) => string.Create(
        CultureInfo.InvariantCulture,
        $$$$"""{"properties":{"codeUri":"{{{{uri}}}}","isAnonymous":{{{{(anonymous ? "true" : "false")}}}},"isArchived":{{{{(archived ? "true" : "false")}}}},"properties":{"hash_sha256":"{{{{hash}}}}","hash_version":202208}}}""");
}
