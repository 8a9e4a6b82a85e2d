using Microsoft.AspNetCore.Routing;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Web;

public sealed class RouteAccessTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    /// <summary>Whoever adds a route here opens a door without a role: it needs a reason in review.</summary>
    private static readonly string[] Anonymous =
    [
        "GET /adfs/{tenant}/.well-known/openid-configuration",
        "GET /common/discovery/instance",
        "GET /discovery",
        "GET /health",
        "GET /healthz",
        "GET /metadata/endpoints",
        "GET /readyz",
        "GET /{tenant}/.well-known/openid-configuration",
        "GET /{tenant}/discovery/keys",
        "GET /{tenant}/discovery/v2.0/keys",
        "GET /{tenant}/v2.0/.well-known/openid-configuration",
        "POST /{tenant}/oauth2/token",
        "POST /{tenant}/oauth2/v2.0/token",
    ];

    /// <summary>These check signatures, keys or tokens by their own protocol.</summary>
    private static readonly string[] OwnAuthentication = ["GET,HEAD /api/2.0/mlflow-artifacts/signed", "PUT /api/2.0/mlflow-artifacts/signed"];

    [Fact]
    public void Every_route_declares_its_access() => Assert.Empty(Undeclared(Routes));

    [Fact]
    public void Anonymous_routes_are_among_the_pinned_ones() => Assert.Empty(Exempt(AccessExemption.Anonymous).Except(Anonymous, StringComparer.Ordinal));

    [Fact]
    public void Routes_that_authenticate_themselves_are_among_the_pinned_ones() => Assert.Empty(Exempt(AccessExemption.Own).Except(OwnAuthentication, StringComparer.Ordinal));

    [Fact]
    public void A_role_action_names_its_provider_and_verb() =>
        Assert.All(
            Routes.Select(route => route.Metadata.GetMetadata<RequiredAction>()).OfType<RequiredAction>(),
            required => Assert.Matches("^Microsoft\\.[A-Za-z]+(/[A-Za-z0-9]+)+/(read|write|delete|action|[a-zA-Z]+/action)$", required.Action));

    [Fact]
    public void A_route_that_declares_nothing_is_found()
    {
        var route = new RouteEndpointBuilder(_ => Task.CompletedTask, Microsoft.AspNetCore.Routing.Patterns.RoutePatternFactory.Parse("/open/door"), 0).Build();

        Assert.Equal(["/open/door"], Undeclared([(RouteEndpoint)route]));
    }

    private IReadOnlyList<RouteEndpoint> Routes => [.. host.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    private static IEnumerable<string> Undeclared(IEnumerable<RouteEndpoint> routes) =>
        from route in routes
        where route.Metadata.GetMetadata<RequiredAction>() is null && route.Metadata.GetMetadata<AccessExemption>() is null
        select Name(route);

    private string[] Exempt(AccessExemption exemption) =>
    [
        .. Routes.Where(route => route.Metadata.GetMetadata<AccessExemption>() == exemption)
            .Select(Name)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    private static string Name(RouteEndpoint route) =>
        $"{string.Join(',', route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])} {route.RoutePattern.RawText}".Trim();
}
