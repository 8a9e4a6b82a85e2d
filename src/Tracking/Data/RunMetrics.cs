using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Tracking.Data;

/// <inheritdoc cref="IRunMetrics"/>
internal sealed class RunMetrics(IDatabase database, WorkspaceKeys workspaces, MetricStore metrics) : IRunMetrics
{
    /// <inheritdoc/>
    public Task LogAsync(WorkspaceRef workspace, string run, IReadOnlyList<RunMetric> points, CancellationToken ct) => database.WriteAsync(
        scope =>
        {
            if (points.Count > 0 && RunStore.Find(scope, workspaces.Ensure(scope, workspace), run) is { } row)
            {
                metrics.Log(scope, row, [.. points.Select(point => new MetricPoint(point.Name, point.Value, point.Time.ToUnixTimeMilliseconds(), point.Step))]);
            }
        },
        ct);
}
