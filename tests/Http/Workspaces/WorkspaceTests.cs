using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Identity;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Workspaces;

public sealed class WorkspaceTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    [Fact]
    public async Task Workspace_main_exists_from_the_start_with_what_clients_read()
    {
        var main = (await arm.GetAsync("~")).Ok();
        Assert.Equal(arm.Main.Id.Value, main.At("id"));
        Assert.Equal("local", main.At("location"));
        Assert.Equal("https://localhost:8443/discovery", main.At("properties.discoveryUrl"));
        Assert.Equal($"azureml://localhost:8443/mlflow/v1.0{arm.Main.Id}", main.At("properties.mlFlowTrackingUri"));
        Assert.Equal("Succeeded", main.At("properties.provisioningState"));
        Assert.True(Guid.TryParse(main.At("properties.workspaceId"), out _));
        Assert.Matches("^/subscriptions/.*/storageAccounts/[a-z0-9]{3,24}$", main.At("properties.storageAccount"));
        Assert.NotEmpty(main.At("systemData.createdAt"));
    }

    [Fact]
    public async Task Urls_fit_the_host_that_was_asked()
    {
        var main = (await arm.SendAsync(HttpMethod.Get, "~", asHost: "management.azure.com")).Ok();
        Assert.Equal("https://management.azure.com/discovery", main.At("properties.discoveryUrl"));
        Assert.StartsWith("azureml://management.azure.com/mlflow/v1.0/", main.At("properties.mlFlowTrackingUri"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Discovery_needs_no_token_and_names_the_api()
    {
        using var client = host.Anonymous();
        var body = JsonNode.Parse(await client.GetStringAsync(new Uri("/discovery", UriKind.Relative)))!;
        Assert.Equal("https://localhost:8443", body["api"]!.GetValue<string>());
        Assert.Equal("https://localhost:8443", body["history"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_workspace_is_created_updated_listed_and_deleted_with_everything_under_it()
    {
        var path = arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/second";
        (await arm.GetAsync(path)).Fails(HttpStatusCode.NotFound);
        var put = await arm.PutAsync(path, """{"location":"local","tags":{"a":"1"},"properties":{"friendlyName":"Two","description":"d"}}""");
        Assert.Equal(HttpStatusCode.OK, put.Status);
        var account = put.Body.At("properties.storageAccount");
        Assert.NotEqual((await arm.GetAsync("~")).Body.At("properties.storageAccount"), account);

        Assert.Equal(["workspaceblobstore", "workspaceartifactstore"], (await arm.GetAsync(path + "/datastores")).Ok().Names());
        Assert.Contains("second", (await arm.GetAsync(arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces")).Ok().Names());
        Assert.Contains("second", (await arm.GetAsync($"/subscriptions/{arm.Main.SubscriptionId}/providers/Microsoft.MachineLearningServices/workspaces")).Ok().Names());

        var patch = await arm.SendAsync(HttpMethod.Patch, path, """{"tags":{"b":"2"},"properties":{"description":"e","workspaceId":"mine"}}""");
        Assert.Equal(HttpStatusCode.OK, patch.Status);
        Assert.Equal("""{"b":"2"}""", patch.Body["tags"]!.ToJsonString());
        Assert.Equal("Two", patch.Body.At("properties.friendlyName"));
        Assert.Equal("e", patch.Body.At("properties.description"));
        Assert.Equal(put.Body.At("properties.workspaceId"), patch.Body.At("properties.workspaceId"));

        (await arm.PutAsync(path + "/data/d/versions/1", """{"properties":{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/x"}}""")).Ok();
        Assert.Equal(HttpStatusCode.OK, (await arm.DeleteAsync(path)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await arm.DeleteAsync(path)).Status);
        (await arm.GetAsync(path)).Fails(HttpStatusCode.NotFound);
        (await arm.GetAsync(path + "/data/d/versions/1")).Fails(HttpStatusCode.NotFound);
        Assert.Null(await host.Get<IWorkspaces>().FindByGuidAsync(put.Body.At("properties.workspaceId"), CancellationToken.None));
    }

    [Fact]
    public async Task A_body_is_refused_with_everything_that_is_wrong()
    {
        var path = arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/x";
        var answer = await arm.PutAsync(path, """{"location":3,"tags":{"a":1},"kind":"swamp","properties":{"description":[]}}""");
        Assert.Equal(["kind", "location", "properties.description", "tags.a", "workspaceName"], answer.Targets().Order(StringComparer.Ordinal));
        (await arm.GetAsync(path)).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_group_that_does_not_exist_is_named()
    {
        var path = $"/subscriptions/{arm.Main.SubscriptionId}/resourceGroups/nowhere/providers/Microsoft.MachineLearningServices/workspaces/third";
        Assert.Equal("ResourceGroupNotFound", (await arm.PutAsync(path, """{"location":"local"}""")).Fails(HttpStatusCode.NotFound));
    }

    [Fact]
    public async Task A_workspace_cannot_move() =>
        Assert.Equal("InvalidResourceLocation", (await arm.PutAsync("~", """{"location":"mars"}""")).Fails(HttpStatusCode.Conflict));

    [Fact]
    public async Task Lists_are_paged_with_a_next_link()
    {
        var collection = arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces";
        for (var i = 0; i < 31; i++)
        {
            (await arm.PutAsync($"{collection}/page{i:00}", """{"location":"local"}""")).Ok();
        }

        var names = new List<string>();
        string? next = collection;
        while (next is not null)
        {
            var page = (await arm.GetAsync(next)).Ok();
            names.AddRange(page.Names());
            next = page["nextLink"]?.GetValue<string>();
        }

        Assert.Equal(31, names.Where(n => n.StartsWith("page", StringComparison.Ordinal)).Distinct().Count());
        Assert.Equal(names.Count, names.Distinct().Count());
        for (var i = 0; i < 31; i++)
        {
            await arm.DeleteAsync($"{collection}/page{i:00}");
        }
    }

    [Fact]
    public async Task Keys_need_the_right_to_them()
    {
        var keys = (await arm.PostAsync("~/listKeys")).Ok();
        Assert.Equal(64, Convert.FromBase64String(keys.At("userStorageKey")).Length);
        using var reader = host.With(await Tokens.PrincipalAsync(host, "acdd72a7-3385-48ef-bd42-f606fba81ae7", $"/subscriptions/{arm.Main.SubscriptionId}"));
        using var refused = await reader.PostAsync(new Uri(arm.Main.Id + "/listKeys?api-version=2022-10-01", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var seen = await reader.GetAsync(new Uri(arm.Main.Id + "?api-version=2022-10-01", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, seen.StatusCode);
    }

    [Fact]
    public async Task There_are_no_connections() => Assert.Empty((await arm.GetAsync("~/connections")).Ok().Names());

    [Fact]
    public async Task What_lies_in_a_missing_workspace_is_not_found()
    {
        var path = arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/missing";
        (await arm.GetAsync(path + "/datastores")).Fails(HttpStatusCode.NotFound);
        (await arm.PutAsync(path + "/data/d/versions/1", "{}")).Fails(HttpStatusCode.NotFound);
    }
}
