using System.Text.Json.Nodes;

namespace Zaffre.Workspaces;

/// <summary>The two datastores that every workspace has.</summary>
internal static class BuiltInDatastore
{
    public static IReadOnlyList<(string Name, string Container)> Containers(Workspace workspace) =>
    [
        (BuiltInDatastores.Blob, "azureml-blobstore-" + workspace.WorkspaceId),
        (BuiltInDatastores.Artifact, "azureml"),
    ];

    public static bool Is(string name) =>
        name.Equals(BuiltInDatastores.Blob, StringComparison.OrdinalIgnoreCase) || name.Equals(BuiltInDatastores.Artifact, StringComparison.OrdinalIgnoreCase);

    public static JsonObject Document(Workspace workspace, string container) => new()
    {
        ["properties"] = new JsonObject
        {
            ["datastoreType"] = "AzureBlob",
            ["accountName"] = workspace.StorageAccount,
            ["containerName"] = container,
            ["endpoint"] = "core.windows.net",
            ["protocol"] = "https",
            ["credentials"] = new JsonObject { ["credentialsType"] = "AccountKey" },
            ["serviceDataAccessAuthIdentity"] = "None",
            ["tags"] = new JsonObject(),
            ["properties"] = new JsonObject(),
        },
    };
}
