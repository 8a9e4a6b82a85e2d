using System.Text.Json.Serialization;

namespace Zaffre.Gateway;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RoutingTable))]
[JsonSerializable(typeof(GatewayStatus))]
[JsonSerializable(typeof(GatewayState))]
[JsonSerializable(typeof(DeploymentCounters[]))]
internal sealed partial class GatewayJson : JsonSerializerContext;

/// <summary>What survives a restart of the gateway besides its table.</summary>
internal sealed record GatewayState(int Port, int? HttpPort, int ProcessId);
