using System.IO.Compression;
using System.Net;
using System.Text;
using Zaffre.Tracking.Mlflow;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>OTLP requests made to exhaust the server.</summary>
public sealed class TraceAttackTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    [Fact]
    public async Task A_small_body_that_grows_without_end_is_refused()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var buffer = new MemoryStream();
        await using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 70; i++)
            {
                await gzip.WriteAsync(zeros);
            }
        }

        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(mlflow, buffer.ToArray(), "application/x-protobuf", "gzip"));
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(mlflow, [1, 2, 3, 4], "application/x-protobuf", "gzip"));
    }

    [Fact]
    public async Task A_request_of_more_spans_than_exporters_send_is_refused_before_it_is_read()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var trace = Guid.NewGuid().ToByteArray();
        var span = Otlp.Span(trace, 1, null, "s", (1, 2));
        var many = Otlp.Request([.. Enumerable.Repeat(span, 60_000)]);
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(mlflow, many, "application/x-protobuf", null));
        var one = $$$$$$$$$"""{"traceId":"{{{{{{{{{Guid.NewGuid():N}}}}}}}}}","spanId":"00000000000000ab","name":"j"}""";
        var json = Encoding.UTF8.GetBytes($$$$$$$$$"""{"resourceSpans":[{"scopeSpans":[{"spans":[{{{{{{{{{string.Join(",", Enumerable.Repeat(one, 60_000))}}}}}}}}}]}]}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(mlflow, json, "application/json", null));
    }

    [Fact]
    public async Task Values_nested_without_end_are_refused()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var value = string.Concat(Enumerable.Repeat("""{"arrayValue":{"values":[""", 2_000)) + """{"intValue":"1"}""" + string.Concat(Enumerable.Repeat("]}}", 2_000));
        var json = $$$$$$$$$"""{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"{{{{{{{{{Guid.NewGuid():N}}}}}}}}}","spanId":"00000000000000ab","name":"j","attributes":[{"key":"k","value":{{{{{{{{{value}}}}}}}}}}]}]}]}]}""";
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(mlflow, Encoding.UTF8.GetBytes(json), "application/json", null));
    }

    [Fact]
    public async Task Many_large_requests_at_once_are_held_in_memory_few_at_a_time_and_all_are_answered()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var bodies = Enumerable.Range(0, 8).Select(_ => Otlp.Request(Otlp.Span(Guid.NewGuid().ToByteArray(), 1, null, "large", (1, 2), ("a", new string('x', 6_000_000))))).ToList();
        Assert.All(await Task.WhenAll(bodies.Select(body => SendAsync(mlflow, body, "application/x-protobuf", null))), status => Assert.Equal(HttpStatusCode.OK, status));
    }

    [Fact]
    public async Task Of_large_bodies_one_that_does_not_come_to_its_end_gives_its_place_to_those_that_wait()
    {
        var clock = new HandClock();
        using var bodies = new LargeBodies(clock);
        var slow = Enumerable.Range(0, LargeBodies.Places).Select(_ => bodies.Begin(default)).ToList();
        foreach (var body in slow)
        {
            await body.HoldsAsync(LargeBodies.Threshold);
            await body.HoldsAsync(LargeBodies.Threshold + 1);
            await body.HoldsAsync(LargeBodies.Threshold + 2);
        }

        using var small = bodies.Begin(default);
        await small.HoldsAsync(LargeBodies.Threshold);
        using var waits = bodies.Begin(default);
        var waiting = waits.HoldsAsync(LargeBodies.Threshold + 1).AsTask();
        Assert.False(waiting.IsCompleted);
        slow[0].Complete();
        clock.Ring();
        Assert.Equal([false, true], slow.Select(body => body.IsLate));
        slow[1].Dispose();
        await waiting;
        slow[0].Dispose();
    }

    private static async Task<HttpStatusCode> SendAsync(Mlflow mlflow, byte[] body, string type, string? encoding)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new(type);
        content.Headers.Add("x-mlflow-experiment-id", "0");
        if (encoding is not null)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }

        using var answer = await mlflow.SendAsync("POST", "/v1/traces", content);
        return answer.StatusCode;
    }

    /// <summary>Timers that ring by hand.</summary>
    private sealed class HandClock : TimeProvider
    {
        private readonly List<HandTimer> timers = [];

        public void Ring() => timers.Where(timer => !timer.Over).ToList().ForEach(timer => timer.Callback(timer.State));

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new HandTimer(callback, state);
            timers.Add(timer);
            return timer;
        }
    }

    private sealed record HandTimer(TimerCallback Callback, object? State) : ITimer
    {
        public bool Over { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period) => !Over;

        public void Dispose() => Over = true;

        public ValueTask DisposeAsync()
        {
            Over = true;
            return ValueTask.CompletedTask;
        }
    }
}
