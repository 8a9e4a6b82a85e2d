using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Assets;

/// <summary>Finds and registers asset versions for the other modules.</summary>
internal sealed partial class AssetStore(IResources resources, AssetContainers containers, IWorkspaces workspaces, CuratedEnvironments curated) : IAssets
{
    public async Task<AssetVersion?> FindVersionAsync(WorkspaceRef workspace, AssetType type, string name, string version, CancellationToken ct)
    {
        var container = workspace.Child(AssetTypes.Segment(type), AssetNames.Strip(name));
        var found = AssetNames.IsLabel(version)
            ? await containers.LatestAsync(container, ct)
            : await resources.FindAsync(container.Child("versions", version), ct);
        return found is null ? null : new AssetVersion(type, found.Id.Parent.Name, found.Id.Name, found);
    }

    public async Task<Outcome<AssetVersion>> ResolveAsync(WorkspaceRef workspace, AssetType type, string reference, CancellationToken ct)
    {
        var word = AssetTypes.Word(type);
        if (reference.StartsWith("azureml://registries/", StringComparison.OrdinalIgnoreCase))
        {
            return type == AssetType.Environment && CuratedEnvironments.OfRegistry(reference) is { } ready
                ? Curated(workspace, ready.Name, ready.Version)
                : ArmErrors.Unsupported($"assets of registries ('{reference}')");
        }

        if (!(await ParseAsync(workspace, type, reference, ct)).TryGet(out var parsed, out var problem))
        {
            return problem;
        }

        return await FindVersionAsync(workspace, type, parsed.Name, parsed.Version, ct) is { } found ? found
            : type == AssetType.Environment && CuratedEnvironments.IsCurated(parsed.Name) ? Curated(workspace, parsed.Name, parsed.Version)
            : new Problem(ProblemKind.NotFound, "ResourceNotFound", $"The {word} '{parsed.Name}', version '{parsed.Version}', does not exist in workspace '{workspace.Name}'.");
    }

    public async Task<Outcome<AssetVersion?>> FindSameAsync(WorkspaceRef workspace, ArmId versionId, JsonObject properties, CancellationToken ct)
    {
        if (!WorkspaceRef.TryParse(versionId.Value, out var own, out var rest) || own.Id != workspace.Id || AssetTypes.Parse(rest.Split('/')[0]) is not { } type)
        {
            return ArmErrors.Invalid($"'{versionId}' is no asset version of this workspace.");
        }

        if (await resources.FindAsync(versionId, ct) is not { } stored)
        {
            return (AssetVersion?)null;
        }

        try
        {
            AssetContent.RequireSame(type, stored, properties);
            return new AssetVersion(type, stored.Id.Parent.Name, stored.Id.Name, stored);
        }
        catch (ProblemException refused)
        {
            return refused.Problem;
        }
    }

    public ArmId Register(WriteScope scope, WorkspaceRef workspace, NewAsset asset, Caller actor)
    {
        var container = workspace.Child(AssetTypes.Segment(asset.Type), AssetNames.Strip(asset.Name));
        var id = container.Child("versions", asset.Version ?? containers.Next(scope, container));
        if (NameProblems(id) is { Count: > 0 } problems)
        {
            throw new ProblemException(Problem.Combine(problems));
        }

        var properties = asset.Properties.Copy();
        var existing = resources.Find(scope, id);
        if (existing is not null)
        {
            AssetContent.RequireSame(asset.Type, existing, properties);
            return existing.Id;
        }

        properties["isAnonymous"] ??= false;
        properties["isArchived"] ??= false;
        var document = new JsonObject { ["properties"] = properties };
        if (AssetContent.UriMember(asset.Type) is { } member && properties.Text(member) is { } uri && uri.StartsWith("azureml://datastores/", StringComparison.Ordinal))
        {
            document[AssetVersionResource.Resolved] = uri;
        }

        var written = resources.Put(scope, id, document, actor);
        containers.Note(scope, asset.Type, written.Id, written.Properties, actor);
        return written.Id;
    }

    public async Task<string> NextVersionAsync(WorkspaceRef workspace, AssetType type, string name, CancellationToken ct) =>
        AssetContainers.NextOf(await resources.FindAsync(workspace.Child(AssetTypes.Segment(type), AssetNames.Strip(name)), ct));

    public async Task<string> ToAssetIdAsync(ArmId versionId, CancellationToken ct)
    {
        if (!WorkspaceRef.TryParse(versionId.Value, out var reference, out var rest) || await workspaces.FindAsync(reference, ct) is not { } workspace)
        {
            throw new ProblemException(ArmErrors.NotFound(versionId));
        }

        return $"azureml://locations/{workspace.Location}/workspaces/{workspace.WorkspaceId}/{rest}";
    }

    /// <summary>Illegal names and versions of an asset version's id.</summary>
    public static List<Problem> NameProblems(ArmId version)
    {
        var problems = new List<Problem>();
        foreach (var (part, value) in (ReadOnlySpan<(string, string)>)[("name", version.Parent.Name), ("version", version.Name)])
        {
            if (ResourceName.Problem(part, value) is { } reason)
            {
                problems.Add(ArmErrors.Invalid(reason, part));
            }
        }

        if (AssetNames.IsLabel(version.Name))
        {
            problems.Add(ArmErrors.Invalid($"'{version.Name}' is a label and cannot be a version.", "version"));
        }

        return problems;
    }

    private Outcome<AssetVersion> Curated(WorkspaceRef workspace, string name, string version) => curated.Find(workspace, name, version)
        .Then<AssetVersion>(found => new AssetVersion(AssetType.Environment, name, found.Id.Name, found));

    private async Task<Outcome<(string Name, string Version)>> ParseAsync(WorkspaceRef workspace, AssetType type, string reference, CancellationToken ct)
    {
        var word = AssetTypes.Word(type);
        string rest;
        if (WorkspaceRef.TryParse(reference, out var other, out rest))
        {
            if (other.Id != workspace.Id)
            {
                return ArmErrors.Invalid($"'{reference}' belongs to another workspace.");
            }
        }
        else if (AssetId().Match(reference) is { Success: true } match)
        {
            rest = match.Groups["rest"].Value;
            if ((await workspaces.FindByGuidAsync(match.Groups["guid"].Value, ct))?.Ref.Id != workspace.Id)
            {
                return ArmErrors.Invalid($"'{reference}' belongs to another workspace.");
            }
        }
        else
        {
            return AssetNames.Split(reference) is { } split
                ? split
                : ArmErrors.Invalid($"'{reference}' is no reference to a {word}: use azureml:name:version, azureml:name@latest or a resource id.");
        }

        return rest.Split('/') is [var segment, { Length: > 0 } name, var level, { Length: > 0 } version]
            && AssetTypes.Parse(segment) == type && level.ToLowerInvariant() is "versions" or "labels"
                ? (name, version)
                : ArmErrors.Invalid($"'{reference}' is not the id of a {word} version.");
    }

    [GeneratedRegex(@"^azureml://locations/[^/]+/workspaces/(?<guid>[0-9a-fA-F-]{36})/(?<rest>.+)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex AssetId();
}
