using System.Net;
using Zaffre.Identity.Access;
using Zaffre.Tests.Http.Identity;

namespace Zaffre.Tests.Http.Workspaces;

public sealed class WorkspaceKindTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    private string Collection => arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces";

    [Fact]
    public async Task A_hub_has_projects_and_stays_as_long_as_it_does()
    {
        var hub = (await arm.PutAsync(Collection + "/hub-1", """{"location":"local","kind":"hub"}""")).Ok();
        Assert.Equal("Hub", hub.At("kind"));
        var project = (await arm.PutAsync(Collection + "/project-1", ProjectOf(hub.At("id")))).Ok();
        Assert.Equal("Project", project.At("kind"));
        Assert.Equal(hub.At("id"), project.At("properties.hubResourceId"));
        Assert.Equal(project.At("id"), (await arm.GetAsync(Collection + "/hub-1")).Ok().At("properties.associatedWorkspaces").Split('"')[1]);

        Assert.Equal(["hub-1"], (await arm.GetAsync(Collection + "?kind=hub")).Ok().Names());
        Assert.Equal(["hub-1", "project-1"], (await arm.GetAsync(Collection + "?kind=hub,project")).Ok().Names());
        Assert.DoesNotContain("hub-1", (await arm.GetAsync(Collection + "?kind=default")).Ok().Names());
        Assert.Equal(["kind"], (await arm.GetAsync(Collection + "?kind=castle")).Targets());

        // What GET returned may be put back; a body without a kind keeps it; another kind or hub is refused.
        (await arm.PutAsync(Collection + "/project-1", project.ToJsonString())).Ok();
        Assert.Equal("Project", (await arm.PutAsync(Collection + "/project-1", """{"location":"local"}""")).Ok().At("kind"));
        Assert.Equal(hub.At("id"), (await arm.GetAsync(Collection + "/project-1")).Ok().At("properties.hubResourceId"));
        Assert.Equal("WorkspaceKindCannotBeChanged", (await arm.PutAsync(Collection + "/project-1", """{"location":"local","kind":"default"}""")).Fails(HttpStatusCode.Conflict));
        Assert.Equal("Project", (await arm.SendAsync(HttpMethod.Patch, Collection + "/project-1", """{"kind":"hub","properties":{"hubResourceId":"x"}}""")).Ok().At("kind"));

        Assert.Equal("HubHasProjects", (await arm.DeleteAsync(Collection + "/hub-1")).Fails(HttpStatusCode.Conflict));
        (await arm.DeleteAsync(Collection + "/project-1?forceToPurge=true")).Ok();
        (await arm.DeleteAsync(Collection + "/hub-1?forceToPurge=false")).Ok();
    }

    [Theory]
    [InlineData("""{"location":"local","kind":"project"}""", "properties.hubResourceId")]
    [InlineData("""{"location":"local","kind":"project","properties":{"hubResourceId":"~"}}""", "properties.hubResourceId")]
    [InlineData("""{"location":"local","kind":"hub","properties":{"hubResourceId":"~"}}""", "properties.hubResourceId")]
    [InlineData("""{"location":"local","kind":"castle"}""", "kind")]
    public async Task A_wrong_kind_or_hub_is_refused_and_leaves_nothing(string body, string target)
    {
        Assert.Equal([target], (await arm.PutAsync(Collection + "/wrong", body.Replace("~", arm.Main.Id.Value, StringComparison.Ordinal))).Targets());
        (await arm.GetAsync(Collection + "/wrong")).Fails(HttpStatusCode.NotFound);
        Assert.DoesNotContain((await arm.GetAsync(arm.Group + "/providers/Microsoft.Storage/storageAccounts")).Ok().Names(), name => name.StartsWith("wrong", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_feature_store_is_stored_as_one() =>
        Assert.Equal("FeatureStore", (await arm.PutAsync(Collection + "/features", """{"location":"local","kind":"featurestore"}""")).Ok().At("kind"));

    [Fact]
    public async Task A_group_with_hub_and_projects_goes_at_once()
    {
        var group = $"/subscriptions/{arm.Main.SubscriptionId}/resourceGroups/hubs";
        var path = group + "/providers/Microsoft.MachineLearningServices/workspaces";
        (await arm.PutAsync(group, """{"location":"local"}""")).Ok();
        var hub = (await arm.PutAsync(path + "/hub-2", """{"location":"local","kind":"hub"}""")).Ok().At("id");
        (await arm.PutAsync(path + "/project-2", ProjectOf(hub))).Ok();
        (await arm.DeleteAsync(group)).Ok();
        (await arm.GetAsync(path + "/hub-2")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Deleting_wants_a_truth_value_for_the_purge() =>
        Assert.Equal(["forceToPurge"], (await arm.DeleteAsync("~?forceToPurge=maybe")).Targets());

    [Fact]
    public async Task Of_two_writers_with_the_same_etag_one_is_told_to_read_again()
    {
        (await arm.PutAsync(Collection + "/shared", """{"location":"local"}""")).Ok();
        using var client = await host.OwnerAsync();
        using var read = await client.GetAsync(new Uri(Collection + "/shared?api-version=2024-10-01", UriKind.Relative));
        var tag = read.Headers.ETag!.ToString();
        async Task<HttpStatusCode> WriteAsync(HttpMethod method, string body)
        {
            using var request = new HttpRequestMessage(method, new Uri(Collection + "/shared?api-version=2024-10-01", UriKind.Relative)) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("If-Match", tag);
            using var answer = await client.SendAsync(request);
            return answer.StatusCode;
        }

        var both = await Task.WhenAll(WriteAsync(HttpMethod.Patch, """{"tags":{"a":"1"}}"""), WriteAsync(HttpMethod.Patch, """{"tags":{"a":"2"}}"""));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.PreconditionFailed], both.Order());
        Assert.Equal(HttpStatusCode.PreconditionFailed, await WriteAsync(HttpMethod.Put, """{"location":"local"}"""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await WriteAsync(HttpMethod.Delete, ""));
        (await arm.GetAsync(Collection + "/shared")).Ok();
    }

    [Fact]
    public async Task Of_many_creators_of_one_workspace_one_decides_its_kind_and_no_storage_account_is_left_over()
    {
        var kinds = Enumerable.Range(0, 8).Select(i => i % 2 == 0 ? "hub" : "default").ToArray();
        var answers = await Task.WhenAll(kinds.Select(kind => arm.PutAsync(Collection + "/raced", $$"""{"location":"local","kind":"{{kind}}"}""")));
        var kind = (await arm.GetAsync(Collection + "/raced")).Ok().At("kind");
        Assert.All(answers.Zip(kinds), pair => Assert.Equal(
            pair.Second.Equals(kind, StringComparison.OrdinalIgnoreCase) ? HttpStatusCode.OK : HttpStatusCode.Conflict, pair.First.Status));
        Assert.Single((await arm.GetAsync(arm.Group + "/providers/Microsoft.Storage/storageAccounts")).Ok().Names(), name => name.StartsWith("racedst", StringComparison.Ordinal));
        Assert.Equal(kind == "Hub", (await arm.GetAsync(Collection + "?kind=hub")).Ok().Names().Contains("raced"));
        (await arm.DeleteAsync(Collection + "/raced")).Ok();
    }

    [Fact]
    public async Task A_stranger_learns_nothing_about_what_exists()
    {
        using var stranger = host.With(await Tokens.PrincipalAsync(host, null, arm.Group));
        string[] collections = [Collection, arm.Group + "/providers/Microsoft.Resources/deployments", arm.Group + "/providers/Microsoft.Storage/storageAccounts", arm.Main.Id + "/connections"];
        foreach (var path in collections.Append(arm.Group.Replace("/zaffre", "", StringComparison.Ordinal)))
        {
            foreach (var (method, name) in new[] { (HttpMethod.Get, ""), (HttpMethod.Get, "/main"), (HttpMethod.Get, "/absent"), (HttpMethod.Delete, "/main"), (HttpMethod.Delete, "/absent") })
            {
                if (method == HttpMethod.Get || name.Length > 0)
                {
                    using var request = new HttpRequestMessage(method, new Uri(path + name + "?api-version=2024-10-01", UriKind.Relative));
                    using var answer = await stranger.SendAsync(request);
                    Assert.True(answer.StatusCode == HttpStatusCode.Forbidden, $"{method} {path}{name}: {answer.StatusCode}");
                }
            }
        }
    }

    [Fact]
    public async Task Keys_diagnosis_and_lists_of_what_there_is_none_of_are_answered_and_notebooks_are_refused()
    {
        Assert.Equal((await arm.PostAsync("~/listKeys")).Ok().At("userStorageKey"), (await arm.PostAsync("~/listStorageAccountKeys")).Ok().At("userStorageKey"));
        Assert.Equal(HttpStatusCode.OK, (await arm.PostAsync("~/resyncKeys")).Status);
        Assert.Equal("[]", (await arm.PostAsync("~/diagnose", """{"value":{"udr":{}}}""")).Ok()["value"]!["storageAccountResults"]!.ToJsonString());
        foreach (var list in new[] { "outboundNetworkDependenciesEndpoints", "outboundRules", "privateEndpointConnections", "privateLinkResources" })
        {
            Assert.Equal("[]", (await arm.GetAsync("~/" + list)).Ok()["value"]!.ToJsonString());
        }

        foreach (var action in new[] { "listNotebookKeys", "listNotebookAccessToken", "prepareNotebook", "provisionManagedNetwork" })
        {
            var answer = await arm.PostAsync("~/" + action);
            Assert.Equal("OperationNotSupported", answer.Fails(HttpStatusCode.BadRequest));
            Assert.Contains(action, answer.Body["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    private static string ProjectOf(string hub) => """{"location":"local","kind":"project","properties":{"hubResourceId":"~"}}""".Replace("~", hub, StringComparison.Ordinal);

    [Fact]
    public async Task A_reader_reads_no_keys_and_syncs_none()
    {
        using var reader = host.With(await Tokens.PrincipalAsync(host, RoleCatalog.Reader, arm.Group));
        foreach (var action in new[] { "listKeys", "listStorageAccountKeys", "resyncKeys", "diagnose" })
        {
            using var answer = await reader.PostAsync(new Uri($"{arm.Main.Id}/{action}?api-version=2024-10-01", UriKind.Relative), null);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
    }
}
