using System.Text.Json;

namespace Zaffre.Tracking.Data;

/// <summary>A list of keys as one SQL parameter, read with <c>json_each</c>.</summary>
internal static class Keys
{
    public static string Json(IEnumerable<long> keys) => JsonSerializer.Serialize(keys.ToArray(), TrackingJson.Default.Int64Array);
}
