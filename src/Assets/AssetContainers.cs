using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>
/// Containers follow their versions: made by the first one, with a next version that never goes back. Members that are kept in the
/// document and never answered: <c>anonymousOnly</c> (no list shows it).
/// </summary>
internal sealed class AssetContainers(IResources resources)
{
    public const string AnonymousOnly = "anonymousOnly";

    /// <summary>The next version inside a write unit.</summary>
    public string Next(WriteScope scope, ArmId container) => NextOf(resources.Find(scope, container));

    public static string NextOf(Resource? container) => container?.Properties.Text("nextVersion") ?? "1";

    /// <summary>Notes a version that was just put.</summary>
    public void Note(WriteScope scope, AssetType type, ArmId version, JsonObject properties, Caller actor)
    {
        var id = version.Parent;
        var found = resources.Find(scope, id);
        var document = found?.Document.Copy() ?? new JsonObject { ["properties"] = new JsonObject { ["isArchived"] = false } };
        var anonymous = properties.Flag("isAnonymous") == true;
        var inner = document.Object("properties")!;
        if (anonymous && found is null)
        {
            document[AnonymousOnly] = true;
        }
        else if (!anonymous)
        {
            document.Remove(AnonymousOnly);
        }

        if (type == AssetType.Data)
        {
            inner["dataType"] ??= properties.Text("dataType");
        }

        var next = long.Parse(NextOf(found), CultureInfo.InvariantCulture);
        if (long.TryParse(version.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= next && number < long.MaxValue)
        {
            next = number + 1;
        }

        inner["nextVersion"] = next.ToString(CultureInfo.InvariantCulture);
        if (found is null || !JsonNode.DeepEquals(found.Document, document))
        {
            resources.Put(scope, found?.Id ?? id, document, actor);
        }
    }

    /// <summary>The newest version of a container, or null.</summary>
    public async Task<Resource?> LatestAsync(ArmId container, CancellationToken ct)
    {
        var query = new ResourceQuery { Parent = container, Type = "versions", View = ListView.ActiveOnly, Top = 1, NewestFirst = true };
        return (await resources.ListAsync(query, ct)).Items is [var newest, ..] ? newest : null;
    }
}
