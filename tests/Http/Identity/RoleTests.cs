using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Zaffre.Identity;
using Zaffre.Identity.Access;

namespace Zaffre.Tests.Http.Identity;

public sealed class RoleTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private string Subscription => "/subscriptions/" + host.Get<LocalOwner>().SubscriptionId;

    [Fact]
    public async Task A_reader_reads_and_writes_nothing()
    {
        using var reader = host.With(await Tokens.PrincipalAsync(host, RoleCatalog.Reader, Subscription));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(reader, HttpMethod.Get, Subscription));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(reader, HttpMethod.Put, Subscription, Guid.NewGuid()));
    }

    [Fact]
    public async Task A_contributor_gives_no_roles_and_an_owner_of_the_scope_does()
    {
        using var contributor = host.With(await Tokens.PrincipalAsync(host, RoleCatalog.Contributor, Subscription));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(contributor, HttpMethod.Put, Subscription, Guid.NewGuid()));
        using var owner = host.With(await Tokens.PrincipalAsync(host, RoleCatalog.Owner, Subscription + "/resourceGroups/zaffre"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(owner, HttpMethod.Put, Subscription, Guid.NewGuid()));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(owner, HttpMethod.Put, Subscription + "/resourcegroups/ZAFFRE", Guid.NewGuid()));
    }

    [Fact]
    public async Task A_principal_without_a_role_learns_nothing_about_what_exists()
    {
        using var nobody = host.With(await Tokens.PrincipalAsync(host, null, Subscription));
        var (there, absent) = (Subscription + "/resourceGroups/zaffre", Subscription + "/resourceGroups/absent");
        var first = await BodyAsync(nobody, there);
        var second = await BodyAsync(nobody, absent);
        Assert.Equal("AuthorizationFailed", first.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(first.ToString().Replace("zaffre", "absent", StringComparison.Ordinal), second.ToString());
    }

    [Fact]
    public async Task A_role_can_be_given_listed_and_taken_away_and_that_counts_at_once()
    {
        var created = await host.Get<IPrincipals>().CreateAsync("temp", "test", default);
        using var owner = host.With(await Tokens.OwnerAsync(host));
        var path = $"{Subscription}/providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}?api-version=2022-04-01";
        var body = Body(created.Principal.ObjectId, RoleCatalog.Reader);
        using var put = await owner.PutAsJsonAsync(path, body);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        using var again = await owner.PutAsJsonAsync(path, body);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        using var twin = await owner.PutAsJsonAsync($"{Subscription}/providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}?api-version=2022-04-01", body);
        Assert.Equal("RoleAssignmentExists", await CodeAsync(twin));
        var list = await owner.GetFromJsonAsync<JsonElement>($"{Subscription}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=principalId eq '{created.Principal.ObjectId}'");
        var only = Assert.Single(list.GetProperty("value").EnumerateArray());
        Assert.EndsWith(RoleCatalog.Reader, only.GetProperty("properties").GetProperty("roleDefinitionId").GetString(), StringComparison.Ordinal);

        using var tokenAnswer = await Tokens.AskAsync(host.Anonymous(), host.Get<LocalOwner>() with { ClientId = created.Principal.ClientId, ClientSecret = created.ClientSecret });
        using var reader = host.With((await Tokens.JsonAsync(tokenAnswer)).GetProperty("access_token").GetString()!);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(reader, HttpMethod.Get, Subscription));
        using var deleted = await owner.DeleteAsync(path);
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(reader, HttpMethod.Get, Subscription));
        using var gone = await owner.DeleteAsync(path);
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
    }

    [Fact]
    public async Task A_wrong_assignment_is_refused_with_everything_that_is_wrong()
    {
        using var owner = host.With(await Tokens.OwnerAsync(host));
        using var answer = await owner.PutAsJsonAsync($"{Subscription}/providers/Microsoft.Authorization/roleAssignments/not-a-guid", new { properties = new { roleDefinitionId = "x", principalId = 7, condition = "@c" } });
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var details = (await Tokens.JsonAsync(answer)).GetProperty("error").GetProperty("details").EnumerateArray().Select(d => d.GetProperty("target").GetString());
        Assert.Equal(["name", "properties.roleDefinitionId", "properties.principalId", "properties.condition"], details);
        using var unknown = await owner.PutAsJsonAsync($"{Subscription}/providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}", Body(Guid.NewGuid().ToString(), RoleCatalog.Reader));
        Assert.Equal("PrincipalNotFound", await CodeAsync(unknown));
        using var elsewhere = await owner.PutAsJsonAsync($"/subscriptions/{Guid.NewGuid()}/providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}", Body(host.Get<LocalOwner>().ObjectId, RoleCatalog.Reader));
        Assert.Equal("SubscriptionNotFound", await CodeAsync(elsewhere));
    }

    [Fact]
    public async Task The_local_owner_cannot_lock_everybody_out()
    {
        using var owner = host.With(await Tokens.OwnerAsync(host));
        var list = await owner.GetFromJsonAsync<JsonElement>("/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope()");
        var own = list.GetProperty("value").EnumerateArray().First().GetProperty("id").GetString();
        using var answer = await owner.DeleteAsync(new Uri(own + "?api-version=2022-04-01", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
    }

    [Fact]
    public async Task The_built_in_roles_are_listed_and_found_by_name()
    {
        using var owner = host.With(await Tokens.OwnerAsync(host));
        var all = await owner.GetFromJsonAsync<JsonElement>(Subscription + "/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01");
        Assert.Equal(28, all.GetProperty("value").GetArrayLength());
        var one = await owner.GetFromJsonAsync<JsonElement>(Subscription + "/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName eq 'Reader'");
        Assert.Equal(RoleCatalog.Reader, Assert.Single(one.GetProperty("value").EnumerateArray()).GetProperty("name").GetString());
    }

    private static object Body(string principalId, string role) =>
        new { properties = new { roleDefinitionId = "/providers/Microsoft.Authorization/roleDefinitions/" + role, principalId, principalType = "ServicePrincipal" } };

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) =>
        (await Tokens.JsonAsync(answer)).GetProperty("error").GetProperty("code").GetString();

    private static async Task<JsonElement> BodyAsync(HttpClient client, string scope)
    {
        using var answer = await client.GetAsync(new Uri(scope + "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        return await Tokens.JsonAsync(answer);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, HttpMethod method, string scope, Guid? assignment = null)
    {
        var path = assignment is null ? "/providers/Microsoft.Authorization/roleDefinitions" : $"/providers/Microsoft.Authorization/roleAssignments/{assignment}";
        using var request = new HttpRequestMessage(method, scope + path) { Content = method == HttpMethod.Put ? JsonContent.Create(new { properties = new { } }) : null };
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }
}
