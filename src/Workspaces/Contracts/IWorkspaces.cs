using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>A workspace as other modules need it. <paramref name="WorkspaceId"/> is the stable guid (lower case, with dashes),
/// <paramref name="StorageAccount"/> the account (3-24 lower-case letters and digits) in which its own datastores lie.</summary>
public sealed record Workspace(WorkspaceRef Ref, string WorkspaceId, string Location, string StorageAccount);

/// <summary>The workspaces of this server. Thread safe.</summary>
public interface IWorkspaces
{
    /// <summary>The workspace with this id, or null.</summary>
    Task<Workspace?> FindAsync(WorkspaceRef workspace, CancellationToken ct);

    /// <summary>The workspace with this guid (<see cref="Workspace.WorkspaceId"/>), or null.</summary>
    Task<Workspace?> FindByGuidAsync(string workspaceId, CancellationToken ct);

    /// <summary>The workspace, or the problem that the wire wants for a missing one (404 ResourceNotFound).</summary>
    Task<Outcome<Workspace>> GetAsync(WorkspaceRef workspace, CancellationToken ct);

    /// <summary>Every workspace, oldest first.</summary>
    Task<IReadOnlyList<Workspace>> ListAsync(CancellationToken ct);

    /// <summary>Workspace <c>main</c> of group <c>zaffre</c>, made at first start together with its datastores; idempotent.</summary>
    Task<Workspace> EnsureDefaultAsync(CancellationToken ct);
}
