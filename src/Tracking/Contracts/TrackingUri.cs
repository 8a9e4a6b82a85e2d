using Zaffre.Web;

namespace Zaffre.Tracking;

/// <summary>What plain MLflow clients take as tracking URI.</summary>
public static class TrackingUri
{
    /// <summary>
    /// The tracking URI of a workspace, <paramref name="baseUrl"/> being scheme and host of this server. The bare base URL is the
    /// tracking URI of the default workspace too.
    /// </summary>
    public static string Of(string baseUrl, WorkspaceRef workspace) => $"{baseUrl}/zaffre/v1{workspace.Id}";
}
