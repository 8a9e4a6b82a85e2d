using System.Diagnostics;
using Zaffre.Recording.Replaying;

namespace Zaffre.Recording;

/// <summary>Sends a recorded session to a server and compares what it answers (docs/recording.md says by which rules).</summary>
public static class Replayer
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan AllPatience = TimeSpan.FromMinutes(2);

    /// <summary>Replays one session, one exchange at a time. Throws <see cref="HttpRequestException"/> when the server cannot be reached.</summary>
    public static async Task<ReplayReport> RunAsync(ReplayTarget target, RecordedSession session, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(session);
        using var client = new ReplayClient(target);
        var polls = Polls.Of(session.Exchanges);
        var differences = new List<ReplayDifference>();
        var (sent, skipped, waited) = (0, 0, TimeSpan.Zero);
        foreach (var exchange in session.Exchanges)
        {
            if (exchange.Job || client.CannotRepeat(exchange))
            {
                skipped++;
                continue;
            }

            sent++;
            var clock = Stopwatch.StartNew();
            var found = await TryAsync(client, exchange, polls.Contains(exchange.Number), ct);
            while (found.Count > 0 && Polls.Reads(exchange.Request) && clock.Elapsed < target.Patience && waited + clock.Elapsed < AllPatience)
            {
                await Task.Delay(Pause, ct);
                found = await TryAsync(client, exchange, polls.Contains(exchange.Number), ct);
            }

            waited += found.Count > 0 ? clock.Elapsed : TimeSpan.Zero;
            differences.AddRange(found);
        }

        return new ReplayReport(sent, skipped, differences);
    }

    private static async Task<IReadOnlyList<ReplayDifference>> TryAsync(ReplayClient client, Exchange exchange, bool isPoll, CancellationToken ct)
    {
        var came = await client.SendAsync(exchange, ct);
        return new Comparison(client.Bindings, exchange, isPoll).Of(came);
    }
}
