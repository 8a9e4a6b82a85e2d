using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Jobs.Yaml;

/// <summary>Resources that a submission would make.</summary>
internal static class Coming
{
    /// <summary>What <paramref name="caller"/> would store under <paramref name="id"/>.</summary>
    public static Resource Of(ArmId id, JsonObject body, Caller caller) => new()
    {
        Id = id,
        Document = (JsonObject)body.DeepClone(),
        Revision = 0,
        Sequence = 0,
        CreatedBy = caller.Name,
        CreatedByType = caller.Type,
        CreatedAt = default,
        LastModifiedBy = caller.Name,
        LastModifiedByType = caller.Type,
        LastModifiedAt = default,
    };
}
