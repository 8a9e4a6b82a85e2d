using System.Text.Json.Serialization;

namespace Zaffre.Tracking;

/// <summary>Source-generated JSON of the module's own small documents.</summary>
[JsonSourceGenerationOptions]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(List<RunOutput>))]
[JsonSerializable(typeof(long[]))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Artifacts.ArtifactTicket))]
internal sealed partial class TrackingJson : JsonSerializerContext;
