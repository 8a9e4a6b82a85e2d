using System.Text.Json.Nodes;

namespace Zaffre.Compute.Computes;

/// <summary>The sizes that computes may name: what a node of that size may use of this host. Unknown names are allowed and get the whole host.</summary>
internal static class ComputeSizes
{
    private static readonly (string Name, int Cores, int MemoryGb)[] Known =
    [
        ("Standard_DS1_v2", 1, 4), ("Standard_DS2_v2", 2, 7), ("Standard_DS3_v2", 4, 14), ("Standard_DS4_v2", 8, 28), ("Standard_DS5_v2", 16, 56),
        ("Standard_D2s_v3", 2, 8), ("Standard_D4s_v3", 4, 16), ("Standard_D8s_v3", 8, 32), ("Standard_F4s_v2", 4, 8), ("Standard_E4s_v3", 4, 32),
    ];

    /// <summary>The list that <c>vmSizes</c> answers.</summary>
    public static JsonArray List() => new([.. Known.Select(size => new JsonObject
    {
        ["name"] = size.Name,
        ["family"] = "local",
        ["vCPUs"] = size.Cores,
        ["gpus"] = 0,
        ["osVhdSizeMB"] = 0,
        ["maxResourceVolumeMB"] = 0,
        ["memoryGB"] = size.MemoryGb,
        ["lowPriorityCapable"] = true,
        ["premiumIO"] = false,
        ["supportedComputeTypes"] = new JsonArray("AmlCompute", "ComputeInstance"),
    })]);

    /// <summary>Memory is a promise of the size that a smaller host cannot keep: the launcher caps it at what the host has.</summary>
    public static TaskLimits LimitsOf(string? size) => Known.FirstOrDefault(known => known.Name.Equals(size, StringComparison.OrdinalIgnoreCase)) is { Name: not null } found
        ? new TaskLimits { MemoryBytes = (long)found.MemoryGb << 30 }
        : new TaskLimits();
}
