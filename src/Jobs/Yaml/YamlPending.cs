using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Jobs.Submission;
using Zaffre.Resources;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Jobs.Yaml;

/// <summary>What a YAML file will have made once its requests are sent: the bodies of its PUTs, and uploads that have no place yet.</summary>
internal sealed class YamlPending(YamlReading reading) : IPendingAssets
{
    private const string Upload = "{{upload.";

    /// <inheritdoc/>
    public AssetVersion? Find(AssetType type, string reference)
    {
        var plain = reference.StartsWith("azureml:/", StringComparison.OrdinalIgnoreCase) ? reference["azureml:".Length..] : reference;
        if (!plain.StartsWith(reading.Workspace.Id.Value + "/", StringComparison.OrdinalIgnoreCase) || reading.Body(new ArmId(plain)) is not { } body)
        {
            return null;
        }

        var parts = plain.Split('/');
        return new AssetVersion(type, parts[^3], parts[^1], Coming.Of(new ArmId(plain), body, reading.Caller));
    }

    /// <inheritdoc/>
    public ResolvedUri? Place(string uri) => uri.StartsWith(Upload, StringComparison.Ordinal)
        ? new ResolvedUri { Uri = uri, Blob = new BlobLocation("", "", uri) }
        : null;
}
