using System.Text.Json.Nodes;
using Zaffre.Web;

namespace Zaffre.Resources;

internal sealed class ResourceRow
{
    public const string Columns = "sequence, id, document, archived, revision, created_by, created_by_type, created_at, modified_by, modified_by_type, modified_at";

    public long Sequence { get; init; }

    public string Id { get; init; } = "";

    public string Document { get; init; } = "";

    public long Archived { get; init; }

    public long Revision { get; init; }

    public string CreatedBy { get; init; } = "";

    public string CreatedByType { get; init; } = "";

    public long CreatedAt { get; init; }

    public string ModifiedBy { get; init; } = "";

    public string ModifiedByType { get; init; } = "";

    public long ModifiedAt { get; init; }

    public Resource ToResource() => new()
    {
        Id = new ArmId(Id),
        Document = (JsonObject)JsonNode.Parse(Document)!,
        Revision = Revision,
        Sequence = Sequence,
        Archived = Archived != 0,
        CreatedBy = CreatedBy,
        CreatedByType = CreatedByType,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
        LastModifiedBy = ModifiedBy,
        LastModifiedByType = ModifiedByType,
        LastModifiedAt = DateTimeOffset.FromUnixTimeMilliseconds(ModifiedAt),
    };
}
