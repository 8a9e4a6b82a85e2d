using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Identity.Access;
using Zaffre.Tests.Http.Identity;

namespace Zaffre.Tests.Http.Workspaces;

/// <summary>Lists show to each caller what it may read.</summary>
public sealed class VisibilityTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    [Fact]
    public async Task A_role_on_one_workspace_shows_that_one_in_every_list()
    {
        var subscription = "/subscriptions/" + arm.Main.SubscriptionId;
        var kind = "/providers/Microsoft.MachineLearningServices/workspaces";
        var mine = (await arm.PutAsync(arm.Group + kind + "/mine-only", """{"location":"local"}""")).Ok();
        (await arm.PutAsync(subscription + "/resourceGroups/hidden", """{"location":"local"}""")).Ok();
        using var reader = host.With(await Tokens.PrincipalAsync(host, RoleCatalog.Reader, mine.At("id")));

        Assert.Equal(["mine-only"], await NamesAsync(reader, arm.Group + kind));
        Assert.Equal(["mine-only"], await NamesAsync(reader, subscription + kind));
        Assert.Equal(["mine-only"], await NamesAsync(reader, subscription + "/resources"));
        Assert.Equal(["zaffre"], await NamesAsync(reader, subscription + "/resourcegroups"));
        foreach (var path in new[] { subscription + "/resourceGroups/hidden" + kind, subscription + "/providers/Microsoft.Storage/storageAccounts", arm.Main.Id.Value, arm.Group })
        {
            using var refused = await reader.GetAsync(new Uri(path + "?api-version=2024-10-01", UriKind.Relative));
            Assert.True(refused.StatusCode == (path.EndsWith("storageAccounts", StringComparison.Ordinal) ? HttpStatusCode.OK : HttpStatusCode.Forbidden), path);
        }

        // Reader reads accounts too, but this one is none of the workspace's scope.
        Assert.Empty(await NamesAsync(reader, subscription + "/providers/Microsoft.Storage/storageAccounts"));
        using var stranger = host.With(await Tokens.PrincipalAsync(host, null, arm.Group));
        using var nothing = await stranger.GetAsync(new Uri(arm.Group + kind + "?api-version=2024-10-01", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, nothing.StatusCode);
    }

    private static async Task<string[]> NamesAsync(HttpClient client, string path) =>
        ((JsonObject)JsonNode.Parse(await client.GetStringAsync(new Uri(path + "?api-version=2024-10-01", UriKind.Relative)))!).Names();
}
