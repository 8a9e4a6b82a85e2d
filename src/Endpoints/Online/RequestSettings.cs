using System.Text.Json.Nodes;
using System.Xml;

namespace Zaffre.Endpoints.Online;

/// <summary>A deployment's limits with the defaults of Azure.</summary>
internal sealed record RequestSettings(int MaxConcurrent, TimeSpan Timeout, TimeSpan QueueWait)
{
    private const int MostConcurrent = 256;

    /// <summary>The settings of a document that was validated.</summary>
    public static RequestSettings Of(JsonObject document) => Read(new DocumentReader(document));

    /// <summary>Reads <c>properties.requestSettings</c>; what is wrong becomes a problem and the default stands in.</summary>
    public static RequestSettings Read(DocumentReader reader)
    {
        const string path = "properties.requestSettings";
        if (reader.Properties["requestSettings"] is not JsonObject settings)
        {
            if (reader.Properties["requestSettings"] is not null)
            {
                reader.Invalid(path, $"'{path}' must be an object.");
            }

            settings = [];
        }

        var concurrent = 1;
        if (settings["maxConcurrentRequestsPerInstance"] is { } node
            && !(node is JsonValue value && value.TryGetValue(out concurrent) && concurrent is >= 1 and <= MostConcurrent))
        {
            reader.Invalid($"{path}.maxConcurrentRequestsPerInstance", $"'maxConcurrentRequestsPerInstance' must be a whole number from 1 to {MostConcurrent}.");
            concurrent = 1;
        }

        return new RequestSettings(
            concurrent,
            Duration(reader, settings, "requestTimeout", TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(1)),
            Duration(reader, settings, "maxQueueWait", TimeSpan.FromMilliseconds(500), TimeSpan.Zero));
    }

    private static TimeSpan Duration(DocumentReader reader, JsonObject settings, string name, TimeSpan standard, TimeSpan least)
    {
        if (settings[name] is null)
        {
            return standard;
        }

        try
        {
            if (settings[name] is JsonValue value && value.TryGetValue<string>(out var text) && XmlConvert.ToTimeSpan(text) is var read
                && read >= least && read <= TimeSpan.FromHours(1))
            {
                return read;
            }
        }
        catch (FormatException)
        {
            // Said below, as for a value out of range.
        }

        reader.Invalid($"properties.requestSettings.{name}", $"'{name}' must be an ISO 8601 duration of at most one hour, such as PT5S.");
        return standard;
    }
}
