using System.Collections.Frozen;
using System.Text.Json;

namespace Zaffre.Identity.Access;

/// <summary>The built-in roles, from <c>spec/rbac-roles.json</c>.</summary>
internal sealed class RoleCatalog
{
    public const string Owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    public const string Contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c";
    public const string Reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    public const string DataScientist = "f6c7c914-8db3-469d-8ca1-694a8f32e121";
    public const string BlobDataContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

    private readonly FrozenDictionary<string, RoleDefinition> byId;

    public RoleCatalog()
    {
        using var stream = typeof(RoleCatalog).Assembly.GetManifestResourceStream("rbac-roles.json")
            ?? throw new InvalidOperationException("the built-in roles are not in this build");
        using var document = JsonDocument.Parse(stream);
        All = [.. document.RootElement.GetProperty("roles").EnumerateArray().Select(role => new RoleDefinition(role))];
        byId = All.ToFrozenDictionary(role => role.Id, StringComparer.OrdinalIgnoreCase);
    }

    public IReadOnlyList<RoleDefinition> All { get; }

    public RoleDefinition? Find(string id) => byId.GetValueOrDefault(id);
}
