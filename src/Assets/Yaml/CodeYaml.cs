using System.Text.Json.Nodes;
using Zaffre.Web;

namespace Zaffre.Assets.Yaml;

/// <summary>Local code as an anonymous code asset whose name is the hash of its content, so that equal code is one asset.</summary>
internal static class CodeYaml
{
    public static string Add(YamlReading reading, UploadReference upload)
    {
        ArmId id = reading.Workspace.Child("codes", upload.Hash).Child("versions", "1");
        reading.Put(id, new JsonObject { ["properties"] = new JsonObject { ["codeUri"] = upload.Uri, ["isAnonymous"] = true } });
        return id.Value;
    }
}
