using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// The variables by which the processes of a gang find each other, under the names that the frameworks read and that Azure ML sets. Everything
/// runs on this host: every address is the loopback's.
/// </summary>
internal static class GangVariables
{
    private const string Address = "127.0.0.1";

    /// <summary>Keeps the frameworks on the loopback; a job may set them otherwise.</summary>
    public static readonly IReadOnlyDictionary<string, string> Defaults = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["GLOO_SOCKET_IFNAME"] = "lo",
        ["TP_SOCKET_IFNAME"] = "lo",
        ["NCCL_SOCKET_IFNAME"] = "lo",
    };

    /// <summary>How many ports a gang needs: one to meet at, and for TensorFlow one for each process.</summary>
    public static int PortsOf(PlannedGang gang) => gang.Kind is GangKind.TensorFlow ? 1 + gang.Processes : 1;

    /// <summary>The variables of one process.</summary>
    public static Dictionary<string, string> Of(PlannedGang gang, Member member, IReadOnlyList<int> ports)
    {
        var hosts = Enumerable.Repeat(Address, gang.Instances).ToArray();
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["MASTER_ADDR"] = Address,
            ["MASTER_PORT"] = Text(ports[0]),
            ["MASTER_IP"] = Address,
            ["NODE_RANK"] = Text(member.Instance),
            ["AZUREML_NODE_COUNT"] = Text(gang.Instances),
            ["AZ_BATCHAI_MPI_MASTER_NODE"] = Address,
            ["AZ_BATCH_MASTER_NODE"] = $"{Address}:{Text(ports[0])}",
            ["AZ_BATCH_HOST_LIST"] = string.Join(',', hosts),
            ["AZ_BATCH_NODE_LIST"] = string.Join(';', hosts),
            ["AZ_BATCH_IS_CURRENT_NODE_MASTER"] = member.Instance == 0 ? "true" : "false",
            ["AZUREML_PROCESS_NAME"] = (member.Name ?? "").Replace("parameter server", "ps", StringComparison.Ordinal).Replace(' ', '_'),
        };
        if (gang.Kind is GangKind.PyTorch)
        {
            variables["RANK"] = Text(member.Number);
            variables["WORLD_SIZE"] = Text(gang.Processes);
            variables["LOCAL_RANK"] = Text(member.Local);
            variables["LOCAL_WORLD_SIZE"] = Text(gang.PerInstance);
        }
        else if (gang.Kind is GangKind.TensorFlow)
        {
            variables["TF_CONFIG"] = Cluster(gang, member, ports);
        }

        return variables;
    }

    /// <summary>What Open MPI needs where all processes share one host: more of them than cores, and no program of the network. Of both generations of names.</summary>
    public static readonly IReadOnlyDictionary<string, string> OpenMpi = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["OMPI_MCA_rmaps_base_oversubscribe"] = "1",
        ["OMPI_MCA_hwloc_base_binding_policy"] = "none",
        ["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none",
        ["OMPI_MCA_plm_rsh_agent"] = "",
        ["OMPI_MCA_mpi_yield_when_idle"] = "1",
        ["OMPI_ALLOW_RUN_AS_ROOT"] = "1",
        ["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1",
        ["PRTE_MCA_rmaps_default_mapping_policy"] = ":oversubscribe",
        ["PRTE_MCA_hwloc_default_binding_policy"] = "none",
        ["PRTE_ALLOW_RUN_AS_ROOT"] = "1",
        ["PRTE_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1",
    };

    private static string Cluster(PlannedGang gang, Member member, IReadOnlyList<int> ports)
    {
        JsonArray Addresses(int from, int count) => new([.. Enumerable.Range(from, count).Select(i => (JsonNode?)$"{Address}:{Text(ports[1 + i])}")]);
        var cluster = new JsonObject { ["worker"] = Addresses(0, gang.Workers) };
        if (gang.ParameterServers > 0)
        {
            cluster["ps"] = Addresses(gang.Workers, gang.ParameterServers);
        }

        return new JsonObject
        {
            ["cluster"] = cluster,
            ["task"] = new JsonObject { ["type"] = member.Serves ? "ps" : "worker", ["index"] = member.Index },
            ["environment"] = "cloud",
        }.ToJsonString(ZaffreJson.Options);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
