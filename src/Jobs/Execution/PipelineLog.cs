using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// The log file of pipelines, where clients look for it. Its lines are rows, written with what they tell of; the file is written whole from
/// them, so that nothing is lost by a crash: a moment after a change, and before a pipeline ends. Thread safe.
/// </summary>
internal sealed class PipelineLog(JobTable jobs, IBlobStore store, TimeProvider time) : IDisposable
{
    /// <summary>The log of a pipeline below its artifacts.</summary>
    public const string Path = "logs/azureml/executionlogs.txt";

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly ConcurrentDictionary<string, bool> changed = new(StringComparer.Ordinal);

    /// <summary>There are new lines of the pipeline with this key.</summary>
    public void Changed(string key)
    {
        changed[key] = true;
        wake.Writer.TryWrite(true);
    }

    /// <summary>Writes the files of pipelines that changed, until canceled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (await wake.Reader.WaitToReadAsync(ct))
        {
            wake.Reader.TryRead(out _);
            await Task.Delay(Pace, time, ct);
            foreach (var key in changed.Keys)
            {
                if (changed.TryRemove(key, out _))
                {
                    await WriteAsync(new ArmId(key), last: null);
                }
            }
        }
    }

    /// <summary>Writes the file of a pipeline that is about to end, with <paramref name="last"/> as its last line.</summary>
    public Task WriteLastAsync(JobRow pipeline, string last) => WriteAsync(pipeline.JobId, last);

    public void Dispose() => writing.Dispose();

    private async Task WriteAsync(ArmId id, string? last)
    {
        await writing.WaitAsync(CancellationToken.None);
        try
        {
            // While it is to end, only the whole log is written; what lies there afterwards is what the rows say of the end.
            if (await jobs.FindAsync(id, CancellationToken.None) is { } pipeline && (last is not null || pipeline.Status != JobStatus.Finalizing))
            {
                await WriteAsync(pipeline, last);
            }
        }
        finally
        {
            writing.Release();
        }
    }

    private async Task WriteAsync(JobRow pipeline, string? last)
    {
        var text = new StringBuilder();
        foreach (var (_, line) in await jobs.LinesAsync(pipeline.JobId, 0, CancellationToken.None))
        {
            text.Append(line);
        }

        var bytes = Encoding.UTF8.GetBytes(text.Append(last).ToString());
        if (await WriteAsync(pipeline.ReadPlan().Artifacts.Child(Path), bytes, durable: last is not null) is { } problem)
        {
            throw new IOException($"The log of the pipeline '{pipeline.Name}' could not be written: {problem.Message}");
        }
    }

    /// <summary>While the pipeline runs the file only grows, and what is lost of it is written again.</summary>
    private async Task<Problem?> WriteAsync(BlobAddress place, byte[] text, bool durable)
    {
        if (!durable)
        {
            return store.WriteLog(place, text, append: false);
        }

        using var content = new MemoryStream(text);
        return (await store.PutAsync(place, content, new BlobWrite { ContentType = "text/plain" }, CancellationToken.None)).Problem;
    }
}
