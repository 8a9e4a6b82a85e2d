using System.Collections.Concurrent;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>
/// The status as <c>details</c> tells it. The SDK's <c>stream</c> prints the log only when it has seen the run alive before it
/// ends; so a run that ended less than a minute ago, and that nobody polled while it lived, shows Finalizing once.
/// Thread safe; what it remembers is lost with the process, which costs one poll.
/// </summary>
internal sealed class StreamedStatus(TimeProvider time)
{
    private const int MostRemembered = 100_000;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, DateTimeOffset> seen = new(StringComparer.Ordinal);

    public RunStatus Of(WorkspaceRef workspace, Run run)
    {
        var now = time.GetUtcNow();
        var first = seen.TryAdd($"{workspace.Id.Key}/{run.Key}", now);
        Forget();
        return run.Status.IsTerminal() && first && run.Ended is { } ended && now - ended < Fresh ? RunStatus.Finalizing : run.Status;
    }

    private void Forget()
    {
        if (seen.Count > MostRemembered)
        {
            foreach (var (key, _) in seen.OrderBy(entry => entry.Value).Take(MostRemembered / 2))
            {
                seen.TryRemove(key, out _);
            }
        }
    }
}
