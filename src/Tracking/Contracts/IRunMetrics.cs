using System.Runtime.InteropServices;
using Zaffre.Web;

namespace Zaffre.Tracking;

/// <summary>A point of a metric.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct RunMetric(string Name, double Value, DateTimeOffset Time, long Step);

/// <summary>Metrics that the server itself logs on runs. Thread safe.</summary>
public interface IRunMetrics
{
    /// <summary>Logs points as a client does; nothing when there is no such run.</summary>
    Task LogAsync(WorkspaceRef workspace, string run, IReadOnlyList<RunMetric> points, CancellationToken ct);
}
