using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>Where datastores lie, and which datastore a place belongs to.</summary>
internal sealed class DatastoreLocations(IWorkspaces workspaces, IResources resources, IStorageAccounts accounts) : IDatastores
{
    public async Task<Outcome<BlobLocation>> ResolveAsync(WorkspaceRef workspace, string name, CancellationToken ct)
    {
        var id = workspace.Child("datastores", name);
        if (await resources.FindAsync(id, ct) is not { } found)
        {
            return ArmErrors.NotFound(id);
        }

        var type = found.Properties.Text("datastoreType") ?? "";
        if (!type.Equals("AzureBlob", StringComparison.OrdinalIgnoreCase))
        {
            return ArmErrors.Unsupported($"reading or writing datastore '{name}' of type {type}");
        }

        return LocationOf(found) is { } location && await accounts.FindAsync(location.Account, ct) is not null
            ? location
            : ArmErrors.Unsupported($"reading or writing datastore '{name}', whose storage account '{found.Properties.Text("accountName")}' is none of this server's");
    }

    public async Task<(string Datastore, string Path)?> LocateAsync(WorkspaceRef workspace, BlobLocation location, CancellationToken ct)
    {
        if (await workspaces.FindAsync(workspace, ct) is { } own && own.StorageAccount == location.Account)
        {
            foreach (var (name, container) in BuiltInDatastore.Containers(own))
            {
                if (container == location.Container)
                {
                    return (name, location.Path);
                }
            }
        }

        var query = new ResourceQuery { Parent = workspace.Id, Type = "datastores", Top = 1, Where = resource => LocationOf(resource) is { } at && at.Account == location.Account && at.Container == location.Container };
        var page = await resources.ListAsync(query, ct);
        return page.Items is [var first, ..] ? (first.Id.Name, location.Path) : null;
    }

    internal static bool IsBlob(JsonObject properties) => "AzureBlob".Equals(properties.Text("datastoreType"), StringComparison.OrdinalIgnoreCase);

    internal static BlobLocation? LocationOf(Resource datastore) =>
        IsBlob(datastore.Properties)
        && datastore.Properties.Text("accountName") is { } account && datastore.Properties.Text("containerName") is { } container
            ? new BlobLocation(account.ToLowerInvariant(), container, "")
            : null;
}
