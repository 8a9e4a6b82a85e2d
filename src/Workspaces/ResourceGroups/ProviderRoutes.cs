using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>The resource providers that this server is; tools look up types and api-versions here.</summary>
internal static class ProviderRoutes
{
    private const string Read = "Microsoft.Resources/subscriptions/providers/read";

    /// <summary>Newest first, as tools take the first that is no preview.</summary>
    private static readonly string[] Versions =
    [
        "2026-09-01", "2026-07-01", "2026-05-01", "2026-03-01", "2025-12-01", "2025-09-01", "2025-06-01", "2025-04-01", "2024-10-01", "2024-07-01-preview", "2024-04-01", "2024-01-01-preview", "2023-10-01", "2023-08-01-preview",
        "2023-04-01", "2023-04-01-preview", "2022-10-01", "2022-10-01-preview", "2022-05-01", "2022-02-01-preview",
    ];

    private static readonly string[] Types =
    [
        "workspaces", "workspaces/computes", "workspaces/datastores", "workspaces/jobs", "workspaces/codes", "workspaces/codes/versions",
        "workspaces/data", "workspaces/data/versions", "workspaces/models", "workspaces/models/versions", "workspaces/environments",
        "workspaces/environments/versions", "workspaces/components", "workspaces/components/versions", "workspaces/onlineEndpoints",
        "workspaces/onlineEndpoints/deployments",
    ];

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var providers = endpoints.MapGroup("/subscriptions/{subscriptionId}/providers");
        providers.AddEndpointFilter(ResourceGroupRoutes.OnlyOurSubscriptionAsync);
        providers.MapGet("", (HttpContext context, LocalOwner owner) => ArmResults.Page(context, [Render(owner)], null)).Requires(Read);
        providers.MapGet("{provider}", Get).Requires(Read);
        providers.MapPost("{provider}/register", Get).Requires("Microsoft.Resources/subscriptions/providers/register/action");
    }

    private static IResult Get(string provider, LocalOwner owner) => provider.Equals(Routes.Provider, StringComparison.OrdinalIgnoreCase)
        ? ArmResults.Ok(Render(owner))
        : ArmResults.Problem(new Problem(ProblemKind.NotFound, "InvalidResourceNamespace", $"The resource namespace '{provider}' is invalid."));

    private static JsonObject Render(LocalOwner owner) => new()
    {
        ["id"] = $"/subscriptions/{owner.SubscriptionId}/providers/{Routes.Provider}",
        ["namespace"] = Routes.Provider,
        ["registrationState"] = "Registered",
        ["registrationPolicy"] = "RegistrationRequired",
        ["resourceTypes"] = new JsonArray([.. Types.Select(type => new JsonObject
        {
            ["resourceType"] = type,
            ["locations"] = new JsonArray(WorkspaceStore.DefaultLocation),
            ["apiVersions"] = new JsonArray([.. Versions.Select(version => (JsonNode)version)]),
        })]),
    };
}
