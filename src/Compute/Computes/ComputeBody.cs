using System.Text.Json.Nodes;
using System.Xml;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Compute.Computes;

/// <summary>The rules of a compute's body, and which of its members are only kept.</summary>
internal static class ComputeBody
{
    public const string AmlCompute = "AmlCompute";
    public const string Instance = "ComputeInstance";
    public const string VirtualMachine = "VirtualMachine";
    public const string Kubernetes = "Kubernetes";
    private static readonly string[] Kinds = [AmlCompute, Instance, VirtualMachine, Kubernetes];
    private const string At = "properties.properties";

    /// <summary>Members without an engine that would be missed: what they ask for would not happen.</summary>
    private static readonly (string Member, string What)[] Refused =
    [
        ("setupScripts", "setup scripts of compute instances"),
        ("customServices", "custom services of compute instances"),
        ("schedules", "start and stop schedules of compute instances"),
    ];

    /// <summary>Members of machines that this host does not make (docs/stored-only.md).</summary>
    public static readonly string[] KeptOnly =
    [
        "identity", "properties.disableLocalAuth", $"{At}.vmPriority", $"{At}.virtualMachineImage", $"{At}.isolatedNetwork", $"{At}.subnet", $"{At}.enableNodePublicIp",
        $"{At}.remoteLoginPortPublicAccess", $"{At}.userAccountCredentials", $"{At}.scaleSettings.minNodeCount", $"{At}.scaleSettings.nodeIdleTimeBeforeScaleDown",
        $"{At}.sshSettings", $"{At}.personalComputeInstanceSettings", $"{At}.computeInstanceAuthorizationType", $"{At}.applicationSharingPolicy",
        $"{At}.administratorAccount", $"{At}.sshPort", $"{At}.namespace", $"{At}.instanceTypes", $"{At}.defaultInstanceType", $"{At}.idleTimeBeforeShutdown", $"{At}.enableSSO", $"{At}.enableRootAccess", $"{At}.enableOSPatching", $"{At}.releaseQuotaOnStop",
    ];

    public static bool IsInstance(JsonObject properties) => Instance.Equals(properties.Text("computeType"), StringComparison.OrdinalIgnoreCase);

    /// <summary>The kind in its own spelling, or null for one that is not known here.</summary>
    public static string? KindOf(JsonObject properties) => Kinds.FirstOrDefault(kind => kind.Equals(properties.Text("computeType"), StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether it is a machine of somebody's that was attached, instead of places of this host.</summary>
    public static bool IsAttached(JsonObject properties) => KindOf(properties) is VirtualMachine or Kubernetes;

    /// <summary>What is wrong with an attached one.</summary>
    public static IEnumerable<Problem> AttachedProblems(JsonObject properties)
    {
        if (properties.Text("resourceId") is not { Length: > 1 } id || id[0] != '/')
        {
            yield return ArmErrors.Invalid("'resourceId' must be the resource id of what is attached.", "properties.resourceId");
        }

        if (properties["properties"] is { } given and not JsonObject)
        {
            yield return ArmErrors.Invalid($"'{At}' must be an object; it is {given.GetValueKind()}.", At);
        }
    }

    /// <summary>Everything wrong with the members of an AmlCompute or ComputeInstance.</summary>
    public static IEnumerable<Problem> Problems(JsonObject properties)
    {
        if (properties["properties"] is { } given and not JsonObject)
        {
            yield return ArmErrors.Invalid($"'{At}' must be an object; it is {given.GetValueKind()}.", At);
        }

        var inner = properties.Object("properties") ?? [];
        foreach (var problem in ScaleProblems(inner.Object("scaleSettings")))
        {
            yield return problem;
        }

        foreach (var (member, what) in Refused)
        {
            if (inner[member] is JsonObject { Count: > 0 } or JsonArray { Count: > 0 } or JsonValue)
            {
                yield return ArmErrors.Unsupported(what, $"{At}.{member}");
            }
        }

        if ("Windows".Equals(inner.Text("osType"), StringComparison.OrdinalIgnoreCase))
        {
            yield return ArmErrors.Unsupported("Windows nodes", $"{At}.osType");
        }

        if (inner["idleTimeBeforeShutdown"] is { } idle && IdleProblem(idle.Text()) is { } wrong)
        {
            yield return wrong with { Target = $"{At}.idleTimeBeforeShutdown" };
        }
    }

    /// <summary>Problems of <c>scaleSettings</c>.</summary>
    public static IEnumerable<Problem> ScaleProblems(JsonObject? scale)
    {
        const string at = $"{At}.scaleSettings";
        var counts = new List<int>();
        foreach (var name in (string[])["minNodeCount", "maxNodeCount"])
        {
            if (scale?[name] is not { } node)
            {
                continue;
            }

            if (node is JsonValue value && value.TryGetValue<int>(out var count) && count is >= 0 and <= 1000)
            {
                counts.Add(count);
            }
            else
            {
                yield return ArmErrors.Invalid($"{name} must be a number from 0 to 1000.", $"{at}.{name}");
            }
        }

        if (counts is [var least, var most] && least > most)
        {
            yield return ArmErrors.Invalid($"minNodeCount ({least}) must not exceed maxNodeCount ({most}).", $"{at}.minNodeCount");
        }
    }

    /// <summary>Why the text is no time after which an idle instance is to be stopped, or null.</summary>
    public static Problem? IdleProblem(string? text)
    {
        try
        {
            if (text is not null && XmlConvert.ToTimeSpan(text) is var time && time >= TimeSpan.FromMinutes(15) && time <= TimeSpan.FromDays(3))
            {
                return null;
            }
        }
        catch (FormatException)
        {
            // Said below, as for a time out of range.
        }

        return ArmErrors.Invalid($"'{text}' is no idle time: use an ISO 8601 duration from PT15M to P3D.", "idleTimeBeforeShutdown");
    }

    /// <summary>A password for machines that are never made is a secret without a use: it is not kept.</summary>
    public static void Forget(JsonObject properties)
    {
        properties.Object("properties")?.Object("userAccountCredentials")?.Remove("adminUserPassword");
        properties.Object("properties")?.Object("administratorAccount")?.Remove("password");
        properties.Object("properties")?.Object("administratorAccount")?.Remove("privateKeyData");
    }
}
