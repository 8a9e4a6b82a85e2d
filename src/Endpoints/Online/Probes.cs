using System.Text.Json.Nodes;
using System.Xml;

namespace Zaffre.Endpoints.Online;

/// <summary>The probes of a deployment. Nothing is probed here: the end of <c>init()</c> and the end of a process are events; what a readiness probe says is how long <c>init()</c> may take.</summary>
internal static class Probes
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    /// <summary>How long an instance has until it is ready: the initial delay and as many periods as failures are allowed. Null without a readiness probe. The document was validated.</summary>
    public static TimeSpan? ReadyWithin(JsonObject document) => Read(new DocumentReader(document), "readinessProbe");

    /// <summary>Reads both probes; what is wrong becomes a problem.</summary>
    public static void Check(DocumentReader reader)
    {
        Read(reader, "livenessProbe");
        Read(reader, "readinessProbe");
    }

    private static TimeSpan? Read(DocumentReader reader, string name)
    {
        switch (reader.Properties[name])
        {
            case null:
                return null;
            case JsonObject probe:
                Duration(reader, probe, name, "timeout", 2);
                Count(reader, probe, name, "successThreshold", 1);
                var tries = Count(reader, probe, name, "failureThreshold", 30);
                return Duration(reader, probe, name, "initialDelay", 10) + (Duration(reader, probe, name, "period", 10) * tries);
            default:
                reader.Invalid($"properties.{name}", $"'properties.{name}' must be an object.");
                return null;
        }
    }

    private static int Count(DocumentReader reader, JsonObject probe, string name, string member, int standard)
    {
        var count = standard;
        if (probe[member] is { } node && !(node is JsonValue value && value.TryGetValue(out count) && count is >= 1 and <= 10_000))
        {
            reader.Invalid($"properties.{name}.{member}", $"'{member}' must be a whole number from 1 to 10000.");
            return standard;
        }

        return count;
    }

    private static TimeSpan Duration(DocumentReader reader, JsonObject probe, string name, string member, int standardSeconds)
    {
        if (probe[member] is not { } node)
        {
            return TimeSpan.FromSeconds(standardSeconds);
        }

        try
        {
            if (node is JsonValue value && value.TryGetValue<string>(out var text) && XmlConvert.ToTimeSpan(text) is var read && read >= TimeSpan.Zero && read <= Longest)
            {
                return read;
            }
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            // Said below, as for a value out of range.
        }

        reader.Invalid($"properties.{name}.{member}", $"'{member}' must be an ISO 8601 duration of at most a day, such as PT10S.");
        return TimeSpan.FromSeconds(standardSeconds);
    }
}
