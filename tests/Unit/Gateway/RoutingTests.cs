using System.Security.Cryptography;
using Zaffre.Gateway;
using Zaffre.Gateway.Routing;
using Zaffre.Gateway.Workers;

namespace Zaffre.Tests.Unit.Gateway;

public sealed class RoutingTests
{
    private static readonly Dictionary<string, ECDsa> NoKeys = [];

    private static LiveEndpoint Endpoint(Dictionary<string, int> traffic, EndpointAuthentication how = EndpointAuthentication.Key, Dictionary<string, ECDsa>? keys = null)
    {
        var pools = new[] { "blue", "green" }.ToDictionary(n => n, n => new DeploymentPool("iris", new DeploymentRoute(n), default), StringComparer.Ordinal);
        var route = new EndpointRoute("iris", how) { Epoch = "7", KeyHashes = [ScoringRig.Hash("first-key"), ScoringRig.Hash("second-key")], Traffic = traffic };
        return new LiveEndpoint(route, pools, keys ?? NoKeys, TimeProvider.System);
    }

    [Fact]
    public void Traffic_is_split_by_weight()
    {
        var endpoint = Endpoint(new(StringComparer.Ordinal) { ["blue"] = 90, ["green"] = 10 });
        var random = new Random(1);
        var green = Enumerable.Range(0, 20_000).Count(_ => endpoint.Choose(default, random)!.Route.Name == "green");
        Assert.InRange(green, 1_800, 2_200);
    }

    [Fact]
    public void A_deployment_with_no_share_gets_nothing_unless_it_is_named()
    {
        var endpoint = Endpoint(new(StringComparer.Ordinal) { ["blue"] = 100, ["green"] = 0 });
        Assert.All(Enumerable.Range(0, 500), _ => Assert.Equal("blue", endpoint.Choose(default, Random.Shared)!.Route.Name));
        Assert.Equal("green", endpoint.Choose("GREEN", Random.Shared)!.Route.Name);
        Assert.Equal("blue", endpoint.Choose("purple", Random.Shared)!.Route.Name);
        Assert.Null(Endpoint([]).Choose(default, Random.Shared));
    }

    [Theory]
    [InlineData("Bearer first-key", "Granted")]
    [InlineData("bearer second-key", "Granted")]
    [InlineData("Bearer first-key2", "Denied")]
    [InlineData("Bearer ", "Denied")]
    [InlineData("Basic first-key", "Missing")]
    [InlineData(null, "Missing")]
    public void Keys_are_checked(string? header, string expected) => Assert.Equal(expected, Endpoint([]).Check(header).ToString());

    [Fact]
    public void Two_authorization_headers_are_none() => Assert.Equal(Access.Missing, Endpoint([]).Check(new(["Bearer first-key", "Bearer first-key"])));

    [Fact]
    public void A_token_is_good_for_its_endpoint_its_epoch_and_its_time_only()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var endpoint = Endpoint([], EndpointAuthentication.Token, new(StringComparer.Ordinal) { ["k"] = key });
        string Token(ECDsa by, string name, string epoch, double minutes) => "Bearer " + EndpointToken.Issue(by, "k", (name, epoch), DateTimeOffset.UtcNow.AddMinutes(minutes));
        Assert.Equal(Access.Granted, endpoint.Check(Token(key, "iris", "7", 5)));
        Assert.Equal(Access.Denied, endpoint.Check(Token(key, "wine", "7", 5)));
        Assert.Equal(Access.Denied, endpoint.Check(Token(key, "iris", "6", 5)));
        Assert.Equal(Access.Denied, endpoint.Check(Token(key, "iris", "7", -5)));
        Assert.Equal(Access.Denied, endpoint.Check(Token(other, "iris", "7", 5)));
        Assert.Equal(Access.Denied, endpoint.Check("Bearer first-key"));
        Assert.Equal(Access.Denied, endpoint.Check("Bearer a.b.c"));
    }

    [Fact]
    public void An_older_table_never_replaces_a_newer_one()
    {
        using var table = new LiveTable(TimeProvider.System);
        RoutingTable Of(long version, string name) => new() { Version = version, Endpoints = [new EndpointRoute(name, EndpointAuthentication.Key) { Epoch = "1" }] };
        Assert.True(table.Apply(Of(5, "new")));
        Assert.False(table.Apply(Of(4, "old")));
        Assert.NotNull(table.Find("NEW"));
        Assert.Null(table.Find("old"));
    }
}
