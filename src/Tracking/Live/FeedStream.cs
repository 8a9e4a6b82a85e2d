using Zaffre.Kernel;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Live;

/// <summary>What a reader asked for.</summary>
internal sealed record FeedRequest(FeedSubject Subject, string Name, IReadOnlySet<FeedKind> Kinds);

/// <summary>How event streams behave.</summary>
/// <param name="Heartbeat">After so much silence a comment says that the connection lives; as often it is asked whether the caller may still read.</param>
internal sealed record FeedOptions(TimeSpan Heartbeat)
{
    public FeedOptions()
        : this(TimeSpan.FromSeconds(15))
    {
    }
}

/// <summary>
/// One reader's events: first from the store what it has not seen, then what units commit, as they commit it. Every event's id says how far the reader has come, by numbers
/// that the store keeps; so one that was cut off goes on without loss and without double, also after the server was restarted.
/// </summary>
internal sealed class FeedStream(FeedBacklog backlog, FeedSubscription news, FeedRequest request, FeedFrames target)
{
    private static readonly FeedKind[] Order = [FeedKind.Param, FeedKind.Tag, FeedKind.Metric, FeedKind.Status];

    private RunStatus? state;

    /// <summary>The reader's place. Set it before the stream begins.</summary>
    public required FeedCursor Cursor { get; set; }

    /// <summary>The logs to send too; null for none.</summary>
    public FeedLogs? Logs { get; init; }

    /// <summary>Sends until the subject is over (or gone), or the caller may no longer read, or <paramref name="ct"/>.</summary>
    public async Task RunAsync(Func<CancellationToken, Task<Problem?>> check, (TimeSpan Heartbeat, TimeProvider Time) clock, CancellationToken ct)
    {
        await target.EventAsync("open", Cursor, json => json.WriteString(request.Subject.IsExperiment ? "experiment" : "run", request.Name), ct);
        var asked = clock.Time.GetTimestamp();
        while (true)
        {
            await SendNewsAsync(ct);
            await SendLogsAsync(ct);
            if (await EndAsync(ct))
            {
                return;
            }

            var left = clock.Heartbeat - clock.Time.GetElapsedTime(asked);
            var woken = left > TimeSpan.Zero && await news.WaitAsync(left, clock.Time, ct);
            if (!woken)
            {
                asked = clock.Time.GetTimestamp();
                if (await check(ct) is { } refusal)
                {
                    await target.EventAsync("denied", null, json =>
                    {
                        json.WriteString("code", refusal.Code);
                        json.WriteString("message", refusal.Message);
                    }, ct);
                    return;
                }

                await target.HeartbeatAsync(ct);
            }
        }
    }

    private async Task SendNewsAsync(CancellationToken ct)
    {
        if (news.TakeBehind())
        {
            if (Cursor.Place is { } place)
            {
                await CatchUpAsync(new FeedRange(Cursor.After, place.Upto), place, ct);
            }

            await CatchUpAsync(new FeedRange(Cursor.After, await backlog.NowAsync(ct)), null, ct);
            state = request.Subject.IsExperiment ? null : await backlog.StateAsync(request.Subject.Key, Cursor.After, ct);
        }

        foreach (var unit in news.Take())
        {
            if (unit.Sequence > Cursor.After)
            {
                await SendUnitAsync(unit, ct);
            }
        }
    }

    /// <summary>Sends what the store has of a range, after a place in it, and goes behind the range.</summary>
    private async Task CatchUpAsync(FeedRange range, FeedPlace? place, CancellationToken ct)
    {
        IReadOnlyList<RunRow> runs;
        var from = place?.Run ?? 0;
        do
        {
            runs = await backlog.RunsAsync(request.Subject, range.After, from, ct);
            foreach (var run in runs)
            {
                foreach (var kind in Order.Where(request.Kinds.Contains))
                {
                    var here = place is not null && place.Run == run.Key;
                    if (!here || kind > place!.Kind || (kind == place.Kind && place.Passed.Count > 0))
                    {
                        await SendKindAsync(run, kind, range, here && kind == place!.Kind ? place.Passed : [], ct);
                    }
                }

                from = run.Key + 1;
            }
        }
        while (runs.Count > 0 && request.Subject.IsExperiment);
        Cursor = Cursor with { After = range.Upto, Place = null };
    }

    private async Task SendKindAsync(RunRow run, FeedKind kind, FeedRange range, IReadOnlyList<long> passed, CancellationToken ct)
    {
        var series = kind == FeedKind.Metric ? await backlog.SeriesAsync(run.Key, range, ct) : [];
        do
        {
            var page = kind == FeedKind.Metric ? await backlog.PointsAsync(run, series, range, passed, ct) : await backlog.NextAsync(run, kind, range, passed, ct);
            if (page.Part is null)
            {
                return;
            }

            passed = page.Passed;
            Cursor = Cursor with { Place = new FeedPlace(range.Upto, run.Key, kind, passed) };
            await SendAsync(page.Part, ct);
        }
        while (passed.Count > 0);
    }

    private async Task SendUnitAsync(FeedUnit unit, CancellationToken ct)
    {
        foreach (var part in unit.Parts)
        {
            state = part.Move?.Status ?? state;
            if (request.Kinds.Contains(part.Kind))
            {
                Cursor = part == unit.Parts[^1]
                    ? Cursor with { After = unit.Sequence, Place = null }
                    : Cursor with { Place = new FeedPlace(unit.Sequence, part.Run, part.Kind, part.Key) };
                await SendAsync(part, ct);
            }
        }

        Cursor = Cursor with { After = unit.Sequence, Place = null };
    }

    private Task SendAsync(FeedPart part, CancellationToken ct) => target.EventAsync(Name(part.Kind), Cursor, part.Data, ct);

    private static string Name(FeedKind kind) => kind switch { FeedKind.Param => "param", FeedKind.Tag => "tag", FeedKind.Metric => "metric", _ => "status" };

    private async Task SendLogsAsync(CancellationToken ct)
    {
        if (Logs is null)
        {
            return;
        }

        // Of a run that is over the logs are whole, and are read once more whatever the watch saw.
        Logs.Watch(news.Wake);
        if (!Logs.TakeChanged() && state?.IsTerminal() != true)
        {
            return;
        }

        await foreach (var piece in Logs.GrowthAsync(ct))
        {
            Cursor = Cursor with { Logs = Logs.Offsets };
            await target.EventAsync(
                "log",
                Cursor,
                json =>
                {
                    json.WriteString("run", request.Name);
                    json.WriteString("path", piece.Path);
                    json.WriteNumber("offset", piece.Offset);
                    json.WriteNumber("end", piece.End);
                    json.WriteString("text", piece.Text);
                },
                ct);
        }
    }

    private async Task<bool> EndAsync(CancellationToken ct)
    {
        var gone = news.TakeDoubt() && !await backlog.ExistsAsync(request.Subject, ct);
        if (!gone && state?.IsTerminal() != true)
        {
            return false;
        }

        Cursor = Cursor with { Ended = true };
        await target.EventAsync(
            "end",
            Cursor,
            json =>
            {
                json.WriteString(request.Subject.IsExperiment ? "experiment" : "run", request.Name);
                json.WriteString("status", gone ? "Deleted" : state!.Value.ToString());
            },
            ct);
        return true;
    }
}
