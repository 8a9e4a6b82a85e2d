using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>The two spellings of a place in a datastore.</summary>
internal static class DatastoreUri
{
    private const string Prefix = "azureml://datastores/";

    public static string Short(string datastore, string path) => $"{Prefix}{datastore}/paths/{path}";

    /// <summary>The long spelling of a short one; anything else as it is.</summary>
    public static string Long(WorkspaceRef workspace, string uri) => uri.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
        ? $"azureml://subscriptions/{workspace.SubscriptionId}/resourcegroups/{workspace.ResourceGroup}/workspaces/{workspace.Name}/datastores/{uri[Prefix.Length..]}"
        : uri;
}
