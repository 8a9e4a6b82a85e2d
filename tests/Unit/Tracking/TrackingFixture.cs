using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tracking;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tests.Unit.Tracking;

/// <summary>The stores of the module over a real database in a folder of its own.</summary>
public sealed class TrackingFixture : IDisposable
{
    private readonly ServiceProvider services;

    public TrackingFixture() => services = new ServiceCollection()
        .AddSingleton(new DataDirectory(Root))
        .AddSingleton(TimeProvider.System)
        .AddLogging(logging => logging.SetMinimumLevel(LogLevel.None))
        .AddDatabase()
        .AddResources()
        .AddTracking()
        .BuildServiceProvider();

    public static WorkspaceRef Workspace { get; } = new("00000000-0000-0000-0000-000000000001", "zaffre", "main");

    public string Root { get; } = Directory.CreateTempSubdirectory("zaffre-tracking-").FullName;

    public IDatabase Database => services.GetRequiredService<IDatabase>();

    public IRuns Runs => services.GetRequiredService<IRuns>();

    public IExperiments Experiments => services.GetRequiredService<IExperiments>();

    internal MetricStore Metrics => services.GetRequiredService<MetricStore>();

    internal WorkspaceKeys Workspaces => services.GetRequiredService<WorkspaceKeys>();

    public Task<Run> CreateAsync(string id, string experiment = "e", string? parent = null, RunStatus status = RunStatus.NotStarted) => Database.WriteAsync(
        scope => Runs.Create(scope, new NewRun { Workspace = Workspace, Id = id, Experiment = experiment, Parent = parent, Status = status }),
        default);

    internal async Task<RunRow> RowAsync(string id)
    {
        var key = await Workspaces.EnsureAsync(Workspace, default);
        return (await Database.ReadAsync(connection => RunStore.Find(connection, key, id), default))!;
    }

    public void Dispose()
    {
        services.Dispose();
        Directory.Delete(Root, recursive: true);
    }
}
