using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Compute;
using Zaffre.Compute.Computes;
using Zaffre.Compute.Launch;
using Zaffre.Compute.Operator;
using Zaffre.Database;
using Zaffre.Jobs;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Tests.Unit.Jobs.Queue;

/// <summary>Lanes over a real database and real computes; jobs are rows, and run until they are told to end.</summary>
internal sealed class QueueRig : IDisposable
{
    private readonly ServiceProvider services;
    private readonly string root = Directory.CreateTempSubdirectory("zaffre-queue-").FullName;
    private readonly Claims claims = new();
    private readonly ComputeTargets targets;
    private readonly Dictionary<string, Lane> lanes = new(StringComparer.Ordinal);

    public QueueRig(int hostSlots)
    {
        services = new ServiceCollection()
            .AddSingleton(new DataDirectory(root)).AddSingleton(TimeProvider.System).AddLogging(logging => logging.SetMinimumLevel(LogLevel.None))
            .AddDatabase().AddResources().AddMigrations<JobTable>().BuildServiceProvider();
        targets = new ComputeTargets(services.GetRequiredService<IResources>(), new ComputeOptions { Slots = hostSlots }, new ComputeSizes(new ComputeFile(new DataDirectory(root))), new HostGpus(new DataDirectory(root), new ComputeOptions(), new GpuProgram(new ComputeOptions(), TimeProvider.System)));
        Queue = new JobQueue(Database);
    }

    public WorkspaceRef Workspace { get; } = new("s", "g", "w");

    public IDatabase Database => services.GetRequiredService<IDatabase>();

    public JobQueue Queue { get; }

    /// <summary>What has places, in the order in which it got them.</summary>
    public List<(JobRow Job, ComputeSlot Slot)> Running { get; } = [];

    /// <summary>Called for a job that gets its places, before it has them.</summary>
    public Action<JobRow> OnBegin { get; set; } = _ => { };

    public async Task AddComputeAsync(string name, int nodes)
    {
        var scale = new JsonObject { ["maxNodeCount"] = nodes };
        var document = new JsonObject { ["properties"] = new JsonObject { ["computeType"] = "AmlCompute", ["properties"] = new JsonObject { ["scaleSettings"] = scale } } };
        await Database.WriteAsync(scope => services.GetRequiredService<IResources>().Put(scope, Compute(name), document, Caller.System), CancellationToken.None);
        lanes[name] = new Lane(Compute(name).Key, new LaneTools(new JobTable(Database, claims), Queue, targets, claims, Begin, (_, verdict) => Assert.Fail(verdict.Message)));
    }

    /// <summary>Queues jobs that differ in their number only.</summary>
    public async Task<IReadOnlyList<string>> SubmitAsync(string compute, string experiment, int rank = 2, int slots = 1, int count = 1)
    {
        var names = await Database.WriteAsync(
            scope => Enumerable.Range(0, count).Select(_ =>
            {
                var id = Workspace.Child("jobs", $"j{Guid.NewGuid():N}");
                scope.Execute(
                    "INSERT INTO jobs (key, id, task, compute, priority, status, plan, created, experiment, slots) VALUES (@key, @id, @key, @compute, @rank, 'Queued', @plan, 0, @experiment, @slots)",
                    new { key = id.Key, id = id.Value, compute = Compute(compute).Key, rank, plan = new string('x', 3000), experiment, slots });
                return id.Name;
            }).ToList(),
            CancellationToken.None);
        lanes[compute].Waits(rank, experiment);
        return names;
    }

    /// <summary>Lets every lane do what it can.</summary>
    public async Task SettleAsync()
    {
        for (var moved = true; moved;)
        {
            moved = false;
            foreach (var lane in lanes.Values)
            {
                moved |= await lane.PassAsync(CancellationToken.None);
            }
        }
    }

    /// <summary>Ends a running job.</summary>
    public async Task EndAsync(int index)
    {
        var (job, slot) = Running[index];
        Running.RemoveAt(index);
        await Database.WriteAsync(scope => JobWrites.Move(scope, job.JobId, [JobStatus.Queued], JobStatus.Completed), CancellationToken.None);
        slot.Dispose();
        lanes[new ArmId(job.Compute).Name].Gave(job.Experiment, slot.Places);
        claims.AskStop(job.JobId, StopReason.Removed);
        held[job.Id].Dispose();
        foreach (var lane in lanes.Values)
        {
            lane.ClaimReleased();
        }
    }

    public async Task<string> PlanAsync(string sql)
    {
        var parameters = new { compute = "", rank = 2, experiment = "", after = 0, parent = "", type = "", limit = 10, skip = 0, Sequence = 1, facet0 = "", facet1 = "", facet2 = "" };
        return string.Join('\n', await Database.ReadAsync(
            connection => connection.Query("EXPLAIN QUERY PLAN " + sql, parameters).Select(row => (string)row.detail).ToList(), CancellationToken.None));
    }

    public void Dispose()
    {
        services.Dispose();
        Directory.Delete(root, recursive: true);
    }

    private readonly Dictionary<string, Claims.Claim> held = new(StringComparer.Ordinal);

    private ArmId Compute(string name) => Workspace.Child("computes", name);

    private void Begin(JobRow job, ComputeSlot slot)
    {
        OnBegin(job);
        held[job.Id] = claims.TryTake(job.JobId) ?? throw new InvalidOperationException("A job began twice.");
        Running.Add((job, slot));
    }
}
