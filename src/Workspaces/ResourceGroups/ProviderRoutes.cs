using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>The resource providers that this server is; tools look up types and api-versions here.</summary>
internal static partial class ProviderRoutes
{
    private const string Read = "Microsoft.Resources/subscriptions/providers/read";

    /// <summary>Newest first, as tools take the first that is no preview.</summary>
    private static readonly string[] Versions =
    [
        "2026-09-01", "2026-07-01", "2026-05-01", "2026-03-01", "2025-12-01", "2025-09-01", "2025-06-01", "2025-04-01", "2024-10-01", "2024-07-01-preview", "2024-04-01", "2024-01-01-preview", "2023-10-01", "2023-08-01-preview",
        "2023-04-01", "2023-04-01-preview", "2022-10-01", "2022-10-01-preview", "2022-05-01", "2022-02-01-preview",
    ];

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var providers = endpoints.MapGroup("/subscriptions/{subscriptionId}/providers");
        providers.AddEndpointFilter(ResourceGroupRoutes.OnlyOurSubscriptionAsync);
        providers.MapGet("", (HttpContext context, IEnumerable<ArmResource> types, LocalOwner owner) =>
            ArmResults.Page(context, All(types).Select(provider => Render(owner, provider)), null)).Requires(Read);
        providers.MapGet("{provider}", Get).Requires(Read);
        providers.MapPost("{provider}/register", Get).Requires("Microsoft.Resources/subscriptions/providers/register/action");
        providers.MapPost("{provider}/unregister", (string provider) =>
            ArmResults.Problem(ArmErrors.Unsupported($"unregistering '{provider}', which this server is"))).Requires("Microsoft.Resources/subscriptions/providers/unregister/action");
    }

    private static IResult Get(string provider, IEnumerable<ArmResource> types, LocalOwner owner) =>
        All(types).FirstOrDefault(known => known.Namespace.Equals(provider, StringComparison.OrdinalIgnoreCase)) is { Namespace: not null } found
            ? ArmResults.Ok(Render(owner, found))
            : ArmResults.Problem(new Problem(ProblemKind.NotFound, "InvalidResourceNamespace", $"The resource namespace '{provider}' is invalid."));

    /// <summary>The resource types of every module, and those that are no generic resources.</summary>
    private static IEnumerable<(string Namespace, string[] Types, string[] Versions)> All(IEnumerable<ArmResource> types) =>
    [
        (Routes.Provider, ["workspaces", .. types.Select(type => "workspaces/" + Placeholders().Replace(type.Path, "")).Order(StringComparer.Ordinal), "locations/vmSizes", "locations/usages"], Versions),
        ("Microsoft.Storage", ["storageAccounts"], ["2022-09-01", "2019-06-01"]),
        ("Microsoft.Resources", ["subscriptions", "resourceGroups", "subscriptions/resourceGroups", "deployments", "resources"], ["2022-09-01", "2021-04-01", "2020-06-01"]),
        ("Microsoft.Authorization", ["roleAssignments", "roleDefinitions"], ["2022-04-01"]),
    ];

    private static JsonObject Render(LocalOwner owner, (string Namespace, string[] Types, string[] Versions) provider) => new()
    {
        ["id"] = $"/subscriptions/{owner.SubscriptionId}/providers/{provider.Namespace}",
        ["namespace"] = provider.Namespace,
        ["registrationState"] = "Registered",
        ["registrationPolicy"] = "RegistrationRequired",
        ["resourceTypes"] = new JsonArray([.. provider.Types.Select(type => new JsonObject
        {
            ["resourceType"] = type,
            ["locations"] = new JsonArray(WorkspaceStore.DefaultLocation),
            ["apiVersions"] = new JsonArray([.. provider.Versions.Select(version => (JsonNode)version)]),
        })]),
    };

    [GeneratedRegex(@"/\{\w+\}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Placeholders();
}
