using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>Makes, finds and deletes workspaces together with their storage account, containers and built-in datastores.</summary>
internal sealed class WorkspaceStore(IDatabase database, IResources resources, WorkspaceRows rows, IStorageAccounts accounts, LocalOwner owner, IEnumerable<IWorkspaceSeed> seeds) : IWorkspaces
{
    public const string DefaultLocation = "local";
    private const string DefaultGroupName = "zaffre";
    private const string DefaultName = "main";

    public async Task<Workspace?> FindAsync(WorkspaceRef workspace, CancellationToken ct) => (await rows.FindAsync(workspace.Id, ct))?.ToWorkspace();

    public async Task<Workspace?> FindByGuidAsync(string workspaceId, CancellationToken ct) => (await rows.FindByGuidAsync(workspaceId, ct))?.ToWorkspace();

    public async Task<Outcome<Workspace>> GetAsync(WorkspaceRef workspace, CancellationToken ct) =>
        await FindAsync(workspace, ct) is { } found ? found : ArmErrors.NotFound(workspace.Id);

    public async Task<IReadOnlyList<Workspace>> ListAsync(CancellationToken ct) =>
        [.. (await rows.ListAsync("/", 0, int.MaxValue, ct)).Select(row => row.ToWorkspace())];

    public async Task<Workspace> EnsureDefaultAsync(CancellationToken ct)
    {
        var main = new WorkspaceRef(owner.SubscriptionId, DefaultGroupName, DefaultName);
        if (await FindAsync(main, ct) is { } found)
        {
            return found;
        }

        await CreateAsync(main, new JsonObject { ["location"] = DefaultLocation, ["properties"] = new JsonObject { ["friendlyName"] = DefaultName } }, Caller.System, ct);
        return (await FindAsync(main, ct))!;
    }

    /// <summary>Creates the workspace; when another request was faster, its document is replaced instead.</summary>
    public async Task<Resource> CreateAsync(WorkspaceRef workspace, JsonObject document, Caller actor, CancellationToken ct)
    {
        var created = new Workspace(workspace, Guid.NewGuid().ToString(), document.Text("location") ?? DefaultLocation, await FreeAccountAsync(workspace.Name, ct));
        await EnsureStorageAsync(created, ct);
        var (written, lost) = await database.WriteAsync(
            scope =>
            {
                var present = resources.Find(scope, workspace.Id);
                var after = resources.Put(scope, present?.Id ?? workspace.Id, document, actor);
                if (present is null)
                {
                    WorkspaceRows.Insert(scope, created);
                    foreach (var (name, container) in BuiltInDatastore.Containers(created))
                    {
                        resources.Put(scope, workspace.Child("datastores", name), BuiltInDatastore.Document(created, container), actor);
                    }

                    foreach (var seed in seeds)
                    {
                        seed.Plant(scope, created, actor);
                    }
                }

                return (after, present is not null);
            },
            ct);
        if (lost)
        {
            await DeleteStorageAsync(created);
        }

        return written;
    }

    /// <summary>Deletes the workspace with everything under it; false when there was none.</summary>
    public async Task<bool> DeleteAsync(WorkspaceRef workspace, Caller actor, CancellationToken ct)
    {
        var found = await FindAsync(workspace, ct);
        var deleted = await database.WriteAsync(scope => resources.Delete(scope, workspace.Id, actor), ct);
        if (deleted && found is not null)
        {
            await DeleteStorageAsync(found);
        }

        return deleted;
    }

    /// <summary>The storage account's resource id, at which bearer tokens on its blobs are authorized.</summary>
    public static ArmId AccountId(Workspace workspace) => new(
        $"/subscriptions/{workspace.Ref.SubscriptionId}/resourceGroups/{workspace.Ref.ResourceGroup}/providers/Microsoft.Storage/storageAccounts/{workspace.StorageAccount}");

    private async Task EnsureStorageAsync(Workspace workspace, CancellationToken ct)
    {
        _ = (await accounts.EnsureAsync(workspace.StorageAccount, AccountId(workspace), ct)).Value;
        foreach (var (_, container) in BuiltInDatastore.Containers(workspace))
        {
            _ = (await accounts.EnsureContainerAsync(workspace.StorageAccount, container, ct)).Value;
        }
    }

    // The rows are gone already: what fails to be deleted here is unreachable, and no caller's cancellation may stop it halfway.
    private async Task DeleteStorageAsync(Workspace workspace)
    {
        foreach (var (_, container) in BuiltInDatastore.Containers(workspace))
        {
            await accounts.DeleteContainerAsync(workspace.StorageAccount, container, CancellationToken.None);
        }
    }

    private async Task<string> FreeAccountAsync(string workspaceName, CancellationToken ct)
    {
        var letters = new string([.. workspaceName.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit).Take(12)]);
        while (true)
        {
            var name = letters + "st" + RandomNumberGenerator.GetHexString(8, lowercase: true);
            if (await accounts.FindAsync(name, ct) is null)
            {
                return name;
            }
        }
    }
}
