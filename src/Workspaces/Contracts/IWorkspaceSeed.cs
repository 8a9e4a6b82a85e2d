using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>What a module puts into every new workspace, in the unit that creates it.</summary>
public interface IWorkspaceSeed
{
    /// <summary>Writes the resources that a workspace has from the start.</summary>
    void Plant(WriteScope scope, Workspace workspace, Caller actor);
}
