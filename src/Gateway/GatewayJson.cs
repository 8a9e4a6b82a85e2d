using System.Text.Json;
using System.Text.Json.Serialization;

namespace Zaffre.Gateway;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RoutingTable))]
[JsonSerializable(typeof(GatewayStatus))]
[JsonSerializable(typeof(GatewayState))]
[JsonSerializable(typeof(DeploymentCounters[]))]
[JsonSerializable(typeof(OnnxAnswer))]
[JsonSerializable(typeof(OnnxRefusal[]))]
[JsonSerializable(typeof(OnnxRoute))]
internal sealed partial class GatewayJson : JsonSerializerContext
{
    /// <summary>Reads tables: a generated reader would set members that are absent to null instead of leaving their defaults,
    /// and a table of an older build lacks what this one added.</summary>
    public static JsonSerializerOptions Reading { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter() },
    };
}

/// <summary>What survives a restart of the gateway besides its table.</summary>
internal sealed record GatewayState(int Port, int? HttpPort, int ProcessId);
