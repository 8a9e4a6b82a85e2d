using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>The lines of a pipeline's log, sent once each; those before byte <paramref name="skip"/> are left out.</summary>
internal sealed class PipelineLines(JobTable jobs, JobRow pipeline, long skip)
{
    private long offset;
    private long seen;

    /// <summary>Sends what is new; returns how long the log is now.</summary>
    public async Task<long> SendAsync(LogFrames target, CancellationToken ct)
    {
        foreach (var (seq, line) in await jobs.LinesAsync(pipeline.JobId, seen, ct))
        {
            var bytes = Encoding.UTF8.GetBytes(line);
            (seen, offset) = (seq, offset + bytes.Length);
            if (offset > skip)
            {
                await target.LogAsync(bytes, offset, ct);
            }
        }

        return offset;
    }
}

/// <summary>Sends a job's log while it grows. Woken by the file's growth and by committed events, never by a clock.</summary>
internal sealed class LogFollowing(JobTable jobs, IBlobStore store, IEventLog events)
{
    private const int ChunkBytes = 64 * 1024;

    public Task<JobRow?> FindAsync(ArmId job, CancellationToken ct) => jobs.FindAsync(job, ct);

    public async Task WriteAsync(JobRow job, long offset, bool follow, LogFrames target, CancellationToken ct)
    {
        var log = job.ReadPlan().Log;
        var lines = job.IsPipeline ? new PipelineLines(jobs, job, offset) : null;
        using var watch = new LogWatch(store, log);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var changes = follow ? WakeOnEventsAsync(watch, done.Token) : Task.CompletedTask;
        var shown = "";
        try
        {
            while (true)
            {
                // The state is read before the log: once it is terminal, the log is whole.
                var present = await jobs.FindAsync(job.JobId, ct);
                watch.Begin();
                offset = lines is null ? await SendGrowthAsync(log, offset, target, ct) : await lines.SendAsync(target, ct);
                if (present is null || present.Seq != job.Seq)
                {
                    await target.StatusAsync(new JsonObject { ["status"] = "Deleted" }, ct);
                    return;
                }

                if (present.Status != shown)
                {
                    await target.StatusAsync(StatusOf(present), ct);
                    shown = present.Status;
                }

                if (!follow || JobStatus.IsTerminal(present.Status))
                {
                    return;
                }

                await watch.WaitAsync(ct);
            }
        }
        finally
        {
            await done.CancelAsync();
            await changes.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WakeOnEventsAsync(LogWatch watch, CancellationToken ct)
    {
        var seen = await events.WaitAsync(-1, ct);
        watch.Wake();
        while (true)
        {
            seen = await events.WaitAsync(seen, ct);
            watch.Wake();
        }
    }

    private async Task<long> SendGrowthAsync(BlobAddress log, long offset, LogFrames target, CancellationToken ct)
    {
        await using var stream = await store.OpenReadAsync(log, ct);
        if (stream is null || stream.Length <= offset)
        {
            return offset;
        }

        stream.Seek(offset, SeekOrigin.Begin);
        var buffer = new byte[ChunkBytes];
        var kept = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer.AsMemory(kept), ct)) > 0)
        {
            var whole = Utf8Text.WholeCharacters(buffer.AsSpan(0, kept + read));
            offset += whole;
            await target.LogAsync(buffer.AsMemory(0, whole), offset, ct);
            kept = kept + read - whole;
            buffer.AsSpan(whole, kept).CopyTo(buffer);
        }

        return offset;
    }

    private static JsonObject StatusOf(JobRow job)
    {
        var status = new JsonObject { ["status"] = job.Status };
        if (job.ErrorCode is not null && job.Status != JobStatus.Completed)
        {
            status["error"] = new JsonObject { ["code"] = job.ErrorCode, ["message"] = job.ErrorMessage };
        }

        if (job.ReadWarnings() is { Count: > 0 } warnings)
        {
            status["warnings"] = new JsonArray([.. warnings]);
        }

        return status;
    }
}
