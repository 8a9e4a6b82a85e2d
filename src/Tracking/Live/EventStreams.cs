using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Live;

/// <summary>Answers requests for live events.</summary>
internal sealed class EventStreams(RunFeed feed, FeedBacklog backlog, ArtifactStore artifacts, IBlobStore blobs, LogFolders folders, FeedHost host)
{
    private const string Resumption = "Last-Event-ID";

    private static readonly Dictionary<string, FeedKind> Kinds = new(StringComparer.Ordinal)
    {
        ["param"] = FeedKind.Param, ["tag"] = FeedKind.Tag, ["metric"] = FeedKind.Metric, ["status"] = FeedKind.Status,
    };

    /// <summary>Streams the events of a subject whose name on the wire is <paramref name="name"/>, until it ends or the reader leaves.</summary>
    public async Task<IResult> AnswerAsync(HttpContext context, WorkspaceRef workspace, FeedSubject subject, string name, CancellationToken ct)
    {
        var problems = new List<Problem>();
        var (kinds, logs) = Chosen(context, subject, problems);
        var cursor = await CursorAsync(context, subject, problems, ct);
        if (problems.Count > 0)
        {
            return ArmResults.Problem(Problem.Combine(problems));
        }

        if (cursor.Ended && (await backlog.StateAsync(subject.Key, long.MaxValue, ct))?.IsTerminal() == true)
        {
            // Browsers connect again after an orderly end, until they are told that there is no content.
            return ArmResults.NoContent();
        }

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        using var news = feed.Subscribe(subject);
        using var files = logs ? new FeedLogs(blobs, folders, await artifacts.RootAsync(workspace, RunArtifacts.Prefix(name), ct), cursor.Logs) : null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, host.Stopping);
        try
        {
            await new FeedStream(backlog, news, new FeedRequest(subject, name, kinds), new FeedFrames(context.Response.Body)) { Cursor = cursor with { Ended = false }, Logs = files }
                .RunAsync(async _ => await context.CheckAccessAgainAsync(), host.Clock, either.Token);
        }
        catch (OperationCanceledException) when (host.Stopping.IsCancellationRequested)
        {
            // A reader must not hold up the server's end. The answer breaks off: an orderly end would say that the run is over.
            context.Abort();
        }

        return Results.Empty;
    }

    private static (HashSet<FeedKind> Kinds, bool Logs) Chosen(HttpContext context, FeedSubject subject, List<Problem> problems)
    {
        var asked = context.Request.Query["events"].ToString();
        if (asked.Length == 0)
        {
            return ([.. Kinds.Values], !subject.IsExperiment);
        }

        var (kinds, logs) = (new HashSet<FeedKind>(), false);
        foreach (var one in asked.Split(','))
        {
            if (Kinds.TryGetValue(one, out var kind))
            {
                kinds.Add(kind);
            }
            else if (one == "log" && !subject.IsExperiment)
            {
                logs = true;
            }
            else
            {
                problems.Add(ArmErrors.Invalid($"events names {string.Join(", ", Kinds.Keys)}{(subject.IsExperiment ? "" : " or log")}, separated by commas; '{one}' is none of them.", "events"));
            }
        }

        return (kinds, logs);
    }

    private async Task<FeedCursor> CursorAsync(HttpContext context, FeedSubject subject, List<Problem> problems, CancellationToken ct)
    {
        var from = context.Request.Query["from"].ToString();
        if (from is not ("" or "start" or "now"))
        {
            problems.Add(ArmErrors.Invalid($"from must be start or now; it is '{from}'.", "from"));
        }

        var now = await backlog.NowAsync(ct);
        var last = context.Request.Headers[Resumption].ToString();
        if (last.Length == 0)
        {
            return from == "start" || (from.Length == 0 && !subject.IsExperiment) ? FeedCursor.Start : new FeedCursor(now);
        }

        var cursor = FeedCursor.Parse(last);
        if (cursor is null || cursor.After > now || cursor.Place?.Upto > now || (cursor.Place is { } place && !subject.IsExperiment && place.Run != subject.Key))
        {
            problems.Add(ArmErrors.Invalid($"{Resumption} must be the id of an event of this stream; it is '{(last.Length > 100 ? last[..100] + "..." : last)}'.", Resumption));
            return FeedCursor.Start;
        }

        return cursor;
    }
}

/// <summary>What streams take from the server: its end, its clock and how often they say that they live.</summary>
internal sealed class FeedHost(IHostApplicationLifetime lifetime, FeedOptions options, TimeProvider time)
{
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    public (TimeSpan Heartbeat, TimeProvider Time) Clock => (options.Heartbeat, time);
}
