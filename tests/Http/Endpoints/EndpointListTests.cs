using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Endpoints;

public sealed class EndpointListTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    [Fact]
    public async Task Endpoints_are_listed_by_every_parameter_of_the_wire()
    {
        foreach (var (name, tags) in new[] { ("list-b", """{"team":"blue"}"""), ("list-a", """{"team":"red","old":"yes"}"""), ("list-c", "{}") })
        {
            (await arm.PutAsync($"~/onlineEndpoints/{name}", $$$$"""{"location":"local","tags":{{{{tags}}}},"properties":{"authMode":"Key","properties":{"named":"{{{{name}}}}"}}}""")).Ok();
        }

        (await arm.SendAsync(HttpMethod.Patch, "~/onlineEndpoints/list-b", """{"tags":{"seen":"last"}}""")).Ok();
        foreach (var (query, names) in new[]
        {
            ("orderBy=CreatedAtAsc", "list-b list-a list-c"), ("orderBy=CreatedAtDesc", "list-c list-a list-b"), ("orderBy=UpdatedAtDesc&count=1", "list-b"),
            ("name=list-a", "list-a"), ("computeType=Managed", "list-b list-a list-c"), ("computeType=Kubernetes", ""), ("computeType=managed&tags=team", "list-b list-a"),
            ("tags=team%3Dred,old", "list-a"), ("tags=team%3Dgreen", ""), ("properties=named%3Dlist-c", "list-c"),
        })
        {
            Assert.Equal(names, string.Join(' ', (await arm.GetAsync("~/onlineEndpoints?" + query)).Ok().Names()));
        }

        var first = (await arm.GetAsync("~/onlineEndpoints?count=2&tags=team&orderBy=CreatedAtDesc&$skip=1")).Ok();
        Assert.Equal(["list-b"], first.Names());
        var paged = (await arm.GetAsync("~/onlineEndpoints?count=1&tags=team")).Ok();
        Assert.Equal(["list-a"], (await arm.GetAsync(new Uri(paged.At("nextLink")).PathAndQuery)).Ok().Names());
    }

    [Fact]
    public async Task Members_that_are_stored_only_are_named_by_the_answer()
    {
        (await arm.PutAsync("~/onlineEndpoints/marked", """{"location":"local","identity":{"type":"SystemAssigned"},"properties":{"authMode":"Key","publicNetworkAccess":"Enabled","mirrorTraffic":{}}}""")).Ok();
        using var client = await host.OwnerAsync();
        using var answer = await client.GetAsync(new Uri($"{arm.Main.Id}/onlineEndpoints/marked?api-version=2024-10-01", UriKind.Relative));
        Assert.Equal("identity, properties.publicNetworkAccess", Assert.Single(answer.Headers.GetValues("x-zaffre-stored-only")));
    }
}
