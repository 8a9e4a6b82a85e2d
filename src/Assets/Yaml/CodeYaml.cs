using System.Text.Json.Nodes;
using Zaffre.Web;

namespace Zaffre.Assets.Yaml;

/// <summary>Local code as an anonymous code asset whose name is the hash of its content, so that equal code is one asset.</summary>
internal static class CodeYaml
{
    private const string Includes = "additional_includes";

    public static string Add(YamlReading reading, UploadReference upload)
    {
        ArmId id = reading.Workspace.Child("codes", upload.Hash).Child("versions", "1");
        reading.Put(id, new JsonObject { ["properties"] = new JsonObject { ["codeUri"] = upload.Uri, ["isAnonymous"] = true } });
        return id.Value;
    }

    /// <summary>The files and folders that go into the code folder beside what it holds: their paths and places; null when there are none.</summary>
    public static IReadOnlyList<(string Local, string At)>? ReadIncludes(YamlMap at)
    {
        if (!at.Has(Includes))
        {
            at.Ignore(Includes);
            return null;
        }

        at.Json(Includes);
        if (at.Table.Find(Includes)!.Value is not YamlList list)
        {
            at.Error(Includes, $"'{Includes}' must be a list of paths");
            return null;
        }

        var includes = new List<(string Local, string At)>();
        foreach (var (item, i) in list.Items.Select((item, i) => (item, i)))
        {
            var place = at.At(item.Line, item.Column, $"{at.PathOf(Includes)}[{i}]");
            if (item is YamlText { IsNull: false } path && YamlPaths.IsLocal(path.Text))
            {
                includes.Add((YamlPaths.ForClient(YamlPaths.Resolve(at.File, path.Text)), place));
            }
            else
            {
                at.Problems.Add(item is YamlTable
                    ? new Kernel.Problem(Kernel.ProblemKind.Unsupported, "OperationNotSupported", "Artifacts of Azure DevOps are not supported; download them, and include the folder.") { Target = place }
                    : new Kernel.Problem(Kernel.ProblemKind.Invalid, "InvalidYaml", $"'{Includes}' takes paths of files and folders") { Target = place });
            }
        }

        return includes.Count == 0 ? null : includes;
    }
}
