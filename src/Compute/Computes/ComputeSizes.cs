using System.IO.Enumeration;
using System.Text.Json.Nodes;
using Zaffre.Compute.Operator;
using Zaffre.Kernel;

namespace Zaffre.Compute.Computes;

/// <summary>
/// The sizes that computes may name: what a node of that size may use of this host. Those of the operator's <c>compute.yml</c> come first; unknown names are
/// allowed and get the whole host.
/// </summary>
internal sealed class ComputeSizes(ComputeFile file)
{
    private static readonly ComputeSize[] Known =
    [
        new("Standard_DS1_v2", 1, 4, 0), new("Standard_DS2_v2", 2, 7, 0), new("Standard_DS3_v2", 4, 14, 0), new("Standard_DS4_v2", 8, 28, 0), new("Standard_DS5_v2", 16, 56, 0),
        new("Standard_D2s_v3", 2, 8, 0), new("Standard_D4s_v3", 4, 16, 0), new("Standard_D8s_v3", 8, 32, 0), new("Standard_F4s_v2", 4, 8, 0), new("Standard_E4s_v3", 4, 32, 0),
    ];

    /// <summary>The size of a name, in any case. The problem says that the operator's file cannot be read.</summary>
    public Outcome<ComputeSize> Find(string? name) => All().Then<ComputeSize>(sizes =>
        sizes.FirstOrDefault(size => size.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? ComputeSize.WholeHost);

    /// <summary>What the operator says of an attached machine; without places when it is not this host.</summary>
    public Outcome<AttachedHost> Attached(string resourceId) => file.Read().Then<AttachedHost>(said =>
        said.Attached.FirstOrDefault(host => FileSystemName.MatchesSimpleExpression(host.Resource, resourceId)) ?? new AttachedHost("", null, 0));

    /// <summary>The list that <c>vmSizes</c> answers.</summary>
    public Outcome<JsonArray> List() => All().Then<JsonArray>(sizes => new JsonArray([.. sizes.Select(size => new JsonObject
    {
        ["name"] = size.Name,
        ["family"] = "local",
        ["vCPUs"] = size.Cores,
        ["gpus"] = size.Gpus,
        ["osVhdSizeMB"] = 0,
        ["maxResourceVolumeMB"] = 0,
        ["memoryGB"] = size.MemoryGb,
        ["lowPriorityCapable"] = true,
        ["premiumIO"] = false,
        ["supportedComputeTypes"] = new JsonArray("AmlCompute", "ComputeInstance"),
    })]));

    /// <summary>Memory is a promise of the size that a smaller host cannot keep: the launcher caps it at what the host has.</summary>
    public static TaskLimits LimitsOf(ComputeSize size) => size.MemoryGb == 0 ? new TaskLimits() : new TaskLimits { MemoryBytes = (long)size.MemoryGb << 30 };

    private Outcome<ComputeSize[]> All() => file.Read().Then<ComputeSize[]>(said => said.Sizes.Concat(Known).DistinctBy(size => size.Name, StringComparer.OrdinalIgnoreCase).ToArray());
}
