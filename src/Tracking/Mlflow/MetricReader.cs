using System.Text.Json;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow;

/// <summary>The metrics of a batch: a thousand objects of the same few names, which are checked once each.</summary>
internal sealed class MetricReader
{
    private readonly Dictionary<string, string> names = new(StringComparer.Ordinal);

    /// <summary>The points, and those of them that were measured on logged models.</summary>
    public (List<MetricPoint> Points, List<ModelPoint> OfModels) Read(IReadOnlyList<JsonElement> metrics)
    {
        var points = new List<MetricPoint>(metrics.Count);
        var ofModels = new List<ModelPoint>();
        foreach (var metric in metrics)
        {
            if (TryRead(metric, out var plain))
            {
                points.Add(plain);
                continue;
            }

            var request = MlflowRequest.Of(metric);
            var point = MlflowLimits.Metric(request);
            points.Add(point);
            if (MlflowLimits.OfModel(request, point) is { } ofModel)
            {
                ofModels.Add(ofModel);
            }
        }

        return (points, ofModels);
    }

    /// <summary>False for everything but the four members with a text and numbers, which the lenient reader then takes or refuses.</summary>
    private bool TryRead(JsonElement metric, out MetricPoint point)
    {
        string? key = null;
        double? value = null;
        long? time = null;
        var step = 0L;
        var plain = true;
        foreach (var member in metric.EnumerateObject())
        {
            if (member.NameEquals("key"u8))
            {
                key = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString() : null;
            }
            else if (member.NameEquals("value"u8))
            {
                value = member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetDouble(out var number) ? number : null;
            }
            else if (member.NameEquals("timestamp"u8))
            {
                time = member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt64(out var number) ? number : null;
            }
            else
            {
                plain &= member.NameEquals("step"u8) && member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt64(out step);
            }
        }

        point = default;
        if (!plain || key is not { Length: > 0 } || value is not { } known || time is not { } at)
        {
            return false;
        }

        point = new MetricPoint(Checked(key), known, at, step);
        return true;
    }

    private string Checked(string key)
    {
        if (!names.TryGetValue(key, out var name))
        {
            names[key] = name = MlflowLimits.MetricName(key);
        }

        return name;
    }
}
