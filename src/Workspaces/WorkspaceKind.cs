using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>The kinds of workspaces, in the casing that is stored and returned. A project belongs to a hub.</summary>
internal static class WorkspaceKind
{
    public const string Default = "Default";
    public const string Hub = "Hub";
    public const string Project = "Project";

    public static IReadOnlyList<string> All { get; } = [Default, Hub, Project, "FeatureStore"];

    /// <summary>The kind as it is stored, or null for what is none.</summary>
    public static string? Canonical(string kind) => All.FirstOrDefault(known => known.Equals(kind, StringComparison.OrdinalIgnoreCase));

    /// <summary>The kind that a document names.</summary>
    public static string Of(JsonObject document) => document.Text("kind") ?? Default;

    /// <summary>The hub that a document names, or null.</summary>
    public static ArmId? HubOf(JsonObject document) =>
        document.Object("properties")?.Text("hubResourceId") is { Length: > 0 } hub ? new ArmId(hub.TrimEnd('/')) : null;

    /// <summary>What is wrong with kind and hub of a new workspace's body.</summary>
    public static IEnumerable<Problem> Problems(JsonObject body)
    {
        var kind = Of(body);
        if (Canonical(kind) is not { } known)
        {
            yield return ArmErrors.Unsupported($"workspaces of kind '{kind}'; the kinds are {string.Join(", ", All)}", "kind");
            yield break;
        }

        var hub = HubOf(body);
        if (known == Project && (hub is not { } named || !WorkspaceRef.TryParse(named.Value, out _, out var rest) || rest.Length > 0))
        {
            yield return ArmErrors.Invalid("A project needs the resource id of its hub.", "properties.hubResourceId");
        }

        if (known != Project && hub is not null)
        {
            yield return ArmErrors.Invalid($"Only a project has a hub; this is a workspace of kind {known}.", "properties.hubResourceId");
        }
    }

    /// <summary>A body without kind and hub keeps them; one with others is refused.</summary>
    public static void Keep(Resource present, JsonObject document)
    {
        var (kind, hub) = (Of(present.Document), HubOf(present.Document));
        if ((document.Text("kind") is { } wanted && wanted != kind) || (HubOf(document) is { } moved && moved != hub))
        {
            throw new ProblemException(ArmErrors.Conflict($"The workspace '{present.Id.Name}' is of kind {kind}; neither its kind nor its hub can be changed.", "WorkspaceKindCannotBeChanged"));
        }

        document["kind"] = kind;
        if (hub is { } kept)
        {
            var properties = document.Object("properties") ?? [];
            properties["hubResourceId"] = kept.Value;
            document["properties"] = properties;
        }
    }
}
