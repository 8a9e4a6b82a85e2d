using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Zaffre.Identity;
using Zaffre.Identity.Access;
using Zaffre.Tests.Http.Identity;

namespace Zaffre.Tests.Http.Workspaces;

public sealed class ResourceGroupTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private string Subscription => "/subscriptions/" + host.Get<LocalOwner>().SubscriptionId;

    [Fact]
    public async Task The_one_subscription_and_tenant_are_listed()
    {
        using var owner = await OwnerAsync();
        var subscriptions = await JsonAsync(owner, "/subscriptions?api-version=2019-11-01");
        Assert.Equal(host.Get<LocalOwner>().SubscriptionId, Assert.Single(subscriptions.GetProperty("value").EnumerateArray()).GetProperty("subscriptionId").GetString());
        Assert.Equal("Enabled", (await JsonAsync(owner, Subscription + "?api-version=2019-11-01")).GetProperty("state").GetString());
        var tenants = await JsonAsync(owner, "/tenants?api-version=2019-11-01");
        Assert.Equal(host.Get<LocalOwner>().TenantId, tenants.GetProperty("value")[0].GetProperty("tenantId").GetString());
        Assert.Equal("SubscriptionNotFound", await CodeAsync(await owner.GetAsync(new Uri($"/subscriptions/{Guid.NewGuid()}", UriKind.Relative))));
    }

    [Fact]
    public async Task A_principal_without_a_role_sees_no_subscription_and_one_with_a_role_inside_does()
    {
        using var nobody = host.With(await Tokens.PrincipalAsync(host, null, Subscription));
        Assert.Equal(0, (await JsonAsync(nobody, "/subscriptions")).GetProperty("value").GetArrayLength());
        using var reader = host.With(await Tokens.PrincipalAsync(host, RoleCatalog.Reader, Subscription + "/resourceGroups/zaffre"));
        Assert.Equal(1, (await JsonAsync(reader, "/subscriptions")).GetProperty("value").GetArrayLength());
    }

    [Fact]
    public async Task Group_zaffre_exists_from_the_start()
    {
        using var owner = await OwnerAsync();
        var group = await JsonAsync(owner, Subscription + "/resourceGroups/ZAFFRE?api-version=2021-04-01");
        Assert.Equal("zaffre", group.GetProperty("name").GetString());
        Assert.Equal("Succeeded", group.GetProperty("properties").GetProperty("provisioningState").GetString());
        Assert.Contains((await JsonAsync(owner, Subscription + "/resourcegroups?api-version=2021-04-01")).GetProperty("value").EnumerateArray(), g => g.GetProperty("name").GetString() == "zaffre");
    }

    [Fact]
    public async Task A_group_is_created_found_by_tag_changed_and_deleted()
    {
        using var owner = await OwnerAsync();
        var path = Subscription + "/resourcegroups/team-1?api-version=2021-04-01";
        Assert.Equal(HttpStatusCode.Created, (await owner.PutAsJsonAsync(path, new { location = "local", tags = new { team = "a" } })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await owner.PutAsJsonAsync(path, new { location = "local", tags = new { team = "b" } })).StatusCode);
        Assert.Equal("InvalidResourceGroupLocation", await CodeAsync(await owner.PutAsJsonAsync(path, new { location = "eastus" })));
        var byTag = await JsonAsync(owner, Subscription + "/resourcegroups?api-version=2021-04-01&$filter=tagName eq 'team' and tagValue eq 'b'");
        Assert.Equal("team-1", Assert.Single(byTag.GetProperty("value").EnumerateArray()).GetProperty("name").GetString());
        using var head = new HttpRequestMessage(HttpMethod.Head, path);
        Assert.Equal(HttpStatusCode.NoContent, (await owner.SendAsync(head)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await owner.DeleteAsync(new Uri(path, UriKind.Relative))).StatusCode);
        Assert.Equal("ResourceGroupNotFound", await CodeAsync(await owner.GetAsync(new Uri(path, UriKind.Relative))));
        using var headAgain = new HttpRequestMessage(HttpMethod.Head, path);
        Assert.Equal(HttpStatusCode.NotFound, (await owner.SendAsync(headAgain)).StatusCode);
    }

    [Fact]
    public async Task A_wrong_group_is_refused_with_everything_that_is_wrong()
    {
        using var owner = await OwnerAsync();
        using var answer = await owner.PutAsJsonAsync(Subscription + "/resourcegroups/ends.with.?api-version=2021-04-01", new { tags = new { a = 1 } });
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(["name", "location", "tags"], (await Tokens.JsonAsync(answer)).GetProperty("error").GetProperty("details").EnumerateArray().Select(d => d.GetProperty("target").GetString()));
    }

    [Fact]
    public async Task The_provider_tells_types_and_versions()
    {
        using var owner = await OwnerAsync();
        var provider = await JsonAsync(owner, Subscription + "/providers/Microsoft.MachineLearningServices?api-version=2021-04-01");
        Assert.Contains(provider.GetProperty("resourceTypes").EnumerateArray(), t => t.GetProperty("resourceType").GetString() == "workspaces/jobs" && t.GetProperty("apiVersions").GetArrayLength() > 0);
    }

    private async Task<HttpClient> OwnerAsync() => host.With(await Tokens.OwnerAsync(host));

    private static async Task<JsonElement> JsonAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await Tokens.JsonAsync(answer);
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            return (await Tokens.JsonAsync(answer)).GetProperty("error").GetProperty("code").GetString();
        }
    }
}
