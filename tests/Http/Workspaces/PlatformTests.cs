using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Identity.Access;
using Zaffre.Storage;
using Zaffre.Tests.Http.Identity;

namespace Zaffre.Tests.Http.Workspaces;

/// <summary>What tools ask the platform around workspaces: lists of resources, providers, storage accounts.</summary>
public sealed class PlatformTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    private string Subscription => "/subscriptions/" + arm.Main.SubscriptionId;

    [Fact]
    public async Task Resources_are_listed_and_filtered_as_the_sdk_and_the_cli_do()
    {
        (await arm.PutAsync(Subscription + "/resourceGroups/listed", """{"location":"local"}""")).Ok();
        (await arm.PutAsync(Subscription + "/resourceGroups/listed/providers/Microsoft.MachineLearningServices/workspaces/listed-ws", """{"location":"mars","tags":{"team":"a"}}""")).Ok();
        string[] Names(string filter, string path) => arm.GetAsync($"{path}?$filter={Uri.EscapeDataString(filter)}").GetAwaiter().GetResult().Ok().Names();

        Assert.Contains("main", Names("", Subscription + "/resources"));
        Assert.Contains("listed-ws", Names("", Subscription + "/resources"));
        Assert.DoesNotContain("main", Names("", Subscription + "/resourceGroups/listed/resources"));
        Assert.DoesNotContain("main", Names("resourceGroup eq 'LISTED'", Subscription + "/resources"));
        Assert.Equal(["listed-ws"], Names("resourceGroup eq 'listed' and resourceType eq 'microsoft.machinelearningservices/workspaces'", Subscription + "/resources"));
        Assert.Equal(["listed-ws"], Names("tagName eq 'team' and tagValue eq 'a'", Subscription + "/resources"));
        Assert.Empty(Names("tagName eq 'team' and tagValue eq 'b'", Subscription + "/resources"));
        Assert.Equal(["listed-ws"], Names("substringof('ed-w', name)", Subscription + "/resources"));
        Assert.Equal(["listed-ws"], Names("name eq 'listed-ws'", Subscription + "/resources"));
        Assert.Equal(2, Names("location eq 'mars'", Subscription + "/resources").Length);
        Assert.Empty(Names("substringof('DefaultWorkspace-local',name)", Subscription + "/resourceGroups/listed/resources"));
        var account = (JsonObject)(await arm.GetAsync($"{Subscription}/resources?$filter=resourceGroup eq 'listed' and resourceType eq 'Microsoft.Storage/storageAccounts'&$expand=createdTime,changedTime,provisioningState")).Ok()["value"]![0]!;
        Assert.Equal("mars", account.At("location"));
        Assert.NotEmpty(account.At("createdTime"));
        (await arm.DeleteAsync(Subscription + "/resourceGroups/listed")).Ok();
        Assert.Empty(Names("resourceGroup eq 'listed'", Subscription + "/resources"));
    }

    [Fact]
    public async Task Resources_are_paged_and_a_bad_question_says_what_is_wrong()
    {
        var names = new List<string>();
        string? next = Subscription + "/resources?$top=1";
        while (next is not null)
        {
            var page = (await arm.GetAsync(next)).Ok();
            names.AddRange(page.Names());
            next = page["nextLink"]?.GetValue<string>();
        }

        Assert.Equal((await arm.GetAsync(Subscription + "/resources")).Ok().Names(), names);
        foreach (var filter in new[] { "name like 'x'", "name eq 'x' or name eq 'y'", "name eq 'x' and", "'; DROP TABLE resources; --", "tagName ne 'x'" })
        {
            Assert.Equal("InvalidFilterInQueryString", (await arm.GetAsync($"{Subscription}/resources?$filter={Uri.EscapeDataString(filter)}")).Fails(HttpStatusCode.BadRequest));
        }

        Assert.Equal("InvalidQueryParameterValue", (await arm.GetAsync(Subscription + "/resources?$top=none")).Fails(HttpStatusCode.BadRequest));
        Assert.Equal("ResourceGroupNotFound", (await arm.GetAsync(Subscription + "/resourceGroups/nowhere/resources")).Fails(HttpStatusCode.NotFound));
        Assert.Equal("SubscriptionNotFound", (await arm.GetAsync($"/subscriptions/{Guid.NewGuid()}/resources")).Fails(HttpStatusCode.NotFound));
        Assert.Equal("ResourceGroupNotFound", (await arm.GetAsync(Subscription + "/resourcegroups/DefaultResourceGroup-local")).Fails(HttpStatusCode.NotFound));
    }

    [Fact]
    public async Task Providers_name_the_types_and_versions_that_tools_choose_from()
    {
        var all = (await arm.GetAsync(Subscription + "/providers")).Ok()["value"]!.AsArray().Select(p => p!["namespace"]!.GetValue<string>());
        Assert.Equal(["Microsoft.MachineLearningServices", "Microsoft.Storage", "Microsoft.Resources", "Microsoft.Authorization"], all);
        var types = (await arm.GetAsync(Subscription + "/providers/microsoft.machinelearningservices")).Ok()["resourceTypes"]!.AsArray();
        foreach (var type in new[] { "workspaces", "workspaces/connections", "workspaces/datastores", "workspaces/jobs", "workspaces/data/versions", "workspaces/onlineEndpoints/deployments" })
        {
            var found = types.Single(t => t!["resourceType"]!.GetValue<string>() == type)!;
            Assert.DoesNotContain("preview", found["apiVersions"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        }

        Assert.Equal("InvalidResourceNamespace", (await arm.GetAsync(Subscription + "/providers/Microsoft.Nothing")).Fails(HttpStatusCode.NotFound));
        (await arm.PostAsync(Subscription + "/providers/Microsoft.Storage/register")).Ok();
        Assert.Equal("OperationNotSupported", (await arm.PostAsync(Subscription + "/providers/Microsoft.Storage/unregister")).Fails(HttpStatusCode.BadRequest));
    }

    [Fact]
    public async Task A_path_with_two_slashes_before_the_type_is_read_as_one() =>
        Assert.Equal("main", (await arm.GetAsync(arm.Group.Replace("resourceGroups", "resourcegroups", StringComparison.Ordinal) + "/providers/Microsoft.MachineLearningServices//workspaces/main")).Ok().At("name"));

    [Fact]
    public async Task The_storage_account_of_a_workspace_is_a_resource_with_both_keys()
    {
        var id = (await arm.GetAsync("~")).Ok().At("properties.storageAccount");
        var account = (await arm.GetAsync(id)).Ok();
        Assert.Equal($"https://{account.At("name")}.blob.core.localhost:8443/", account.At("properties.primaryEndpoints.blob"));
        Assert.Contains(account.At("name"), (await arm.GetAsync(Subscription + "/providers/Microsoft.Storage/storageAccounts")).Ok().Names());
        var keys = (await arm.PostAsync(id + "/listKeys?$expand=kerb")).Ok()["keys"]!.AsArray();
        Assert.Equal(["key1", "key2"], keys.Select(k => k!["keyName"]!.GetValue<string>()));
        Assert.Equal((await arm.PostAsync("~/listKeys")).Ok().At("userStorageKey"), keys[0]!["value"]!.GetValue<string>());
        Assert.NotEqual(keys[0]!["value"]!.GetValue<string>(), keys[1]!["value"]!.GetValue<string>());

        using var reader = host.With(await Tokens.PrincipalAsync(host, RoleCatalog.Reader, arm.Group));
        using var seen = await reader.GetAsync(new Uri(id + "?api-version=2022-09-01", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, seen.StatusCode);
        using var refused = await reader.PostAsync(new Uri(id + "/listKeys?api-version=2022-09-01", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        (await arm.GetAsync(arm.Group + "/providers/Microsoft.Storage/storageAccounts/absent")).Fails(HttpStatusCode.NotFound);
        (await arm.GetAsync(id.Replace("/zaffre/", "/other/", StringComparison.Ordinal))).Fails(HttpStatusCode.NotFound);
        foreach (var (method, path) in new[] { (HttpMethod.Put, id), (HttpMethod.Patch, id), (HttpMethod.Post, id + "/regenerateKey") })
        {
            Assert.Equal("OperationNotSupported", (await arm.SendAsync(method, path, "{}")).Fails(HttpStatusCode.BadRequest));
        }
    }

    [Fact]
    public async Task Deleting_a_workspace_deletes_its_storage_account_with_every_container()
    {
        var path = arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/emptied";
        var id = (await arm.PutAsync(path, """{"location":"local"}""")).Ok().At("properties.storageAccount");
        var name = id.Split('/')[^1];
        await host.Get<IStorageAccounts>().EnsureContainerAsync(name, "mine", CancellationToken.None);
        (await arm.DeleteAsync(path)).Ok();
        (await arm.GetAsync(id)).Fails(HttpStatusCode.NotFound);
        Assert.Null(await host.Get<IStorageAccounts>().GetKeyAsync(name, CancellationToken.None));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(host.Root, "blobs", name)));
    }

    [Fact]
    public async Task A_workspace_that_lost_its_storage_account_says_so_and_can_be_deleted()
    {
        var path = arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/bereft";
        var id = (await arm.PutAsync(path, """{"location":"local"}""")).Ok().At("properties.storageAccount");
        Assert.Equal(HttpStatusCode.OK, (await arm.DeleteAsync(id)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await arm.DeleteAsync(id)).Status);
        Assert.Contains("StorageAccountNotFound", (await arm.PostAsync(path + "/diagnose", "{}")).Ok().ToJsonString(), StringComparison.Ordinal);
        foreach (var answer in new[] { await arm.PostAsync(path + "/listKeys"), await arm.GetAsync(path + "/datastores"), await arm.PostAsync(path + "/datastores/workspaceblobstore/listSecrets") })
        {
            Assert.True((int)answer.Status < 500, answer.Body.ToJsonString());
        }

        (await arm.DeleteAsync(path)).Ok();
    }

    [Fact]
    public async Task What_a_workspace_on_azure_has_beside_it_does_not_exist_here()
    {
        foreach (var type in new[] { "Microsoft.KeyVault/vaults", "Microsoft.Insights/components", "Microsoft.ContainerRegistry/registries" })
        {
            var id = $"{arm.Group}/providers/{type}/any";
            Assert.Equal("ResourceNotFound", (await arm.GetAsync(id)).Fails(HttpStatusCode.NotFound));
            Assert.Equal(HttpStatusCode.NoContent, (await arm.DeleteAsync(id)).Status);
            Assert.Equal("OperationNotSupported", (await arm.PutAsync(id, "{}")).Fails(HttpStatusCode.BadRequest));
        }
    }
}
