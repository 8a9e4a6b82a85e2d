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
        [.. (await rows.ListAsync("/", null, 0, int.MaxValue, ct)).Select(row => row.ToWorkspace())];

    public async Task<Workspace> EnsureDefaultAsync(CancellationToken ct)
    {
        var main = new WorkspaceRef(owner.SubscriptionId, DefaultGroupName, DefaultName);
        if (await FindAsync(main, ct) is { } found)
        {
            return found;
        }

        await CreateAsync(main, new JsonObject { ["location"] = DefaultLocation, ["properties"] = new JsonObject { ["friendlyName"] = DefaultName } }, Caller.System, default, ct);
        return (await FindAsync(main, ct))!;
    }

    /// <summary>Creates the workspace; when another request was faster, its document is replaced instead.</summary>
    public async Task<Resource> CreateAsync(WorkspaceRef workspace, JsonObject document, Caller actor, PutCondition condition, CancellationToken ct)
    {
        var created = new Workspace(workspace, Guid.NewGuid().ToString(), document.Text("location") ?? DefaultLocation, await FreeAccountAsync(workspace.Name, ct));
        var lost = true;
        try
        {
            await EnsureStorageAsync(created, ct);
            (var written, lost) = await database.WriteAsync(scope => Insert(scope, created, document, actor, condition), ct);
            return written;
        }
        finally
        {
            if (lost)
            {
                await database.WriteAsync(scope => accounts.Remove(scope, created.StorageAccount), CancellationToken.None);
                await accounts.EraseAsync(created.StorageAccount);
            }
        }
    }

    private (Resource Written, bool Lost) Insert(WriteScope scope, Workspace created, JsonObject document, Caller actor, PutCondition condition)
    {
        RequireHub(scope, document);
        var id = created.Ref.Id;
        if (resources.Find(scope, id) is { } present)
        {
            WorkspaceKind.Keep(present, document);
            return (resources.Put(scope, present.Id, document, actor, condition), true);
        }

        var written = resources.Put(scope, id, document, actor, condition);
        WorkspaceRows.Insert(scope, created, document);
        foreach (var (name, container) in BuiltInDatastore.Containers(created))
        {
            resources.Put(scope, created.Ref.Child("datastores", name), BuiltInDatastore.Document(created, container), actor);
        }

        foreach (var seed in seeds)
        {
            seed.Plant(scope, created, actor);
        }

        return (written, false);
    }

    /// <summary>Deletes the workspace with everything under it and its storage account; false when there was none. Throws while a project needs it.</summary>
    public async Task<bool> DeleteAsync(WorkspaceRef workspace, Caller actor, PutCondition condition, CancellationToken ct)
    {
        if (await FindAsync(workspace, ct) is not { } found)
        {
            return false;
        }

        var deleted = await database.WriteAsync(
            scope =>
            {
                if (WorkspaceRows.AnyProject(scope, workspace.Id) is { } project)
                {
                    throw new ProblemException(ArmErrors.Conflict($"The hub '{workspace.Name}' has projects, such as '{project}'. Delete them first.", "HubHasProjects"));
                }

                accounts.Remove(scope, found.StorageAccount);
                return resources.Delete(scope, workspace.Id, actor, condition);
            },
            ct);
        if (deleted)
        {
            await accounts.EraseAsync(found.StorageAccount);
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

    private void RequireHub(WriteScope scope, JsonObject document)
    {
        if (WorkspaceKind.HubOf(document) is { } hub && (resources.Find(scope, hub) is not { } found || WorkspaceKind.Of(found.Document) != WorkspaceKind.Hub))
        {
            throw new ProblemException(ArmErrors.Invalid($"There is no hub '{hub}'.", "properties.hubResourceId"));
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
