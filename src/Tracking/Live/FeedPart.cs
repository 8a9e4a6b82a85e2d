using System.Buffers;
using System.Text.Json;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;

namespace Zaffre.Tracking.Live;

/// <summary>One event about a run: its kind, and its data as JSON, which is written once for all readers.</summary>
internal sealed class FeedPart(RunRow run, FeedKind kind, Action<Utf8JsonWriter> write)
{
    private readonly Lazy<ReadOnlyMemory<byte>> data = new(() => Json(run, write));

    public long Run => run.Key;

    public FeedKind Kind => kind;

    /// <summary>What orders events of this kind; empty when this one is all there is.</summary>
    public IReadOnlyList<long> Key { get; init; } = [];

    /// <summary>The state this event tells of, if it does.</summary>
    public RunMove? Move { get; init; }

    /// <summary>How many points the part holds in memory.</summary>
    public int Weight { get; init; } = 1;

    public ReadOnlyMemory<byte> Data => data.Value;

    public static FeedPart OfParams(RunRow run, IReadOnlyList<(string Name, string Value)> values) =>
        new(run, FeedKind.Param, json => json.Pairs("params", values));

    public static FeedPart OfTags(RunRow run, IReadOnlyList<(string Name, string Value)> set, IReadOnlyList<string> gone) => new(run, FeedKind.Tag, json =>
    {
        json.Pairs("tags", set);
        if (gone.Count > 0)
        {
            json.WriteStartArray("deleted");
            foreach (var name in gone)
            {
                json.WriteStringValue(name);
            }

            json.WriteEndArray();
        }
    });

    public static FeedPart OfPoints(RunRow run, IReadOnlyList<MetricPoint> points) => new(run, FeedKind.Metric, json =>
    {
        json.WriteStartArray("metrics");
        foreach (var point in points)
        {
            json.WriteStartObject();
            json.WriteString("key", point.Name);
            json.Real("value", point.Value);
            json.WriteNumber("timestamp", point.Time);
            json.WriteNumber("step", point.Step);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    })
    {
        Weight = points.Count,
    };

    public static FeedPart OfMove(RunRow run, long unit, RunMove move) => new(run, FeedKind.Status, json => WriteMove(json, move))
    {
        Move = move,
        Key = [unit, (long)move.Status],
    };

    private static void WriteMove(Utf8JsonWriter json, RunMove move)
    {
        json.WriteString("status", move.Status.ToString());
        json.WriteString("mlflowStatus", move.Status.ToMlflow());
        json.WriteNumber("timestamp", move.Time);
        if (move.ErrorCode is not null)
        {
            json.WriteStartObject("error");
            json.WriteString("code", move.ErrorCode);
            json.WriteString("message", move.ErrorMessage);
            json.WriteEndObject();
        }
    }

    private static ReadOnlyMemory<byte> Json(RunRow run, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("run", run.Id);
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
