using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>A place in one of this server's storage accounts. <paramref name="Path"/> has no leading slash and is empty for the
/// whole container; a trailing slash is never kept, so a file and a folder look alike.</summary>
public sealed record BlobLocation(string Account, string Container, string Path)
{
    /// <summary>The place <paramref name="relative"/> below this one.</summary>
    public BlobLocation Child(string relative) =>
        this with { Path = Path.Length == 0 ? relative.Trim('/') : $"{Path}/{relative.Trim('/')}" };
}

/// <summary>The datastores of workspaces. Thread safe.</summary>
public interface IDatastores
{
    /// <summary>
    /// Where a datastore lies. Problems: <c>NotFound</c>; <c>OperationNotSupported</c> for a type or account without an engine here.
    /// </summary>
    Task<Outcome<BlobLocation>> ResolveAsync(WorkspaceRef workspace, string name, CancellationToken ct);

    /// <summary>The name of the datastore that holds <paramref name="location"/> and the path in it, or null when none of the workspace does.</summary>
    Task<(string Datastore, string Path)?> LocateAsync(WorkspaceRef workspace, BlobLocation location, CancellationToken ct);
}

/// <summary>The datastores that every workspace has.</summary>
public static class BuiltInDatastores
{
    /// <summary>The default: uploads of clients and named outputs of jobs.</summary>
    public const string Blob = "workspaceblobstore";

    /// <summary>Artifacts and logs of runs (<c>ExperimentRun/dcid.{job}</c>).</summary>
    public const string Artifact = "workspaceartifactstore";
}
