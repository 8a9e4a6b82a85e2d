using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution;
using Zaffre.Web;

namespace Zaffre.Tests.Unit.Jobs.Queue;

/// <summary>Random loads against a small model of the rules: capacity, ranks, fairness, age, and that everything gets its turn.</summary>
public sealed class QueueModelTests : IDisposable
{
    private const int HostSlots = 6;
    private static readonly Dictionary<string, int> Nodes = new(StringComparer.Ordinal) { ["small"] = 3, ["large"] = 5 };
    private static readonly string[] Experiments = ["a", "b", "c"];
    private static readonly int[] Ranks = [-18, 2, 3];

    private readonly QueueRig rig = new(HostSlots);
    private readonly List<Waiting> waiting = [];

    private sealed record Waiting(string Name, string Compute, string Experiment, int Rank, int Slots);

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(300)]
    [InlineData(4000)]
    public async Task Random_loads_keep_the_rules(int seed)
    {
        var random = new Random(seed);
        rig.OnBegin = Check;
        foreach (var (name, nodes) in Nodes)
        {
            await rig.AddComputeAsync(name, nodes);
        }

        for (var step = 0; step < 200; step++)
        {
            if (rig.Running.Count == 0 || random.Next(100) < 55)
            {
                await SubmitAsync(random);
            }
            else
            {
                await rig.EndAsync(random.Next(rig.Running.Count));
            }

            await rig.SettleAsync();
            Assert.True(rig.Running.Count > 0 || waiting.Count == 0, $"seed {seed}: nothing runs, and {waiting.Count} wait");
        }

        while (waiting.Count > 0)
        {
            Assert.NotEmpty(rig.Running);
            await rig.EndAsync(random.Next(rig.Running.Count));
            await rig.SettleAsync();
        }
    }

    [Fact]
    public async Task A_gang_is_not_starved_by_single_jobs_of_another_experiment()
    {
        await rig.AddComputeAsync("large", 4);
        await rig.SubmitAsync("large", "singles", count: 200);
        await rig.SettleAsync();
        var gang = (await rig.SubmitAsync("large", "gang", slots: 4))[0];
        var begun = 0;
        rig.OnBegin = _ => begun++;
        while (rig.Running.All(running => running.Job.Name != gang))
        {
            await rig.EndAsync(0);
            await rig.SettleAsync();
            Assert.InRange(begun, 0, Lane.MostPassed + 1);
        }

        Assert.Equal(Lane.MostPassed + 1, begun);
    }

    [Fact]
    public async Task An_experiment_with_many_jobs_does_not_keep_another_waiting()
    {
        await rig.AddComputeAsync("large", 2);
        await rig.SubmitAsync("large", "many", count: 10_000);
        await rig.SettleAsync();
        var few = await rig.SubmitAsync("large", "few", count: 3);
        for (var ended = 0; ended < 5; ended++)
        {
            await rig.EndAsync(0);
            await rig.SettleAsync();
            Assert.Contains(rig.Running, running => ended >= 4 || running.Job.Experiment == "few");
        }

        Assert.Equal(3, few.Count);
    }

    public void Dispose() => rig.Dispose();

    private async Task SubmitAsync(Random random)
    {
        var compute = random.Next(2) == 0 ? "small" : "large";
        var (experiment, rank) = (Experiments[random.Next(Experiments.Length)], Ranks[random.Next(Ranks.Length)]);
        var slots = random.Next(4) == 0 ? 1 + random.Next(Nodes[compute]) : 1;
        var names = await rig.SubmitAsync(compute, experiment, rank, slots);
        waiting.Add(new Waiting(names[0], compute, experiment, rank, slots));
    }

    private void Check(JobRow job)
    {
        var compute = new ArmId(job.Compute).Name;
        var mine = waiting.Single(one => one.Name == job.Name);
        var before = waiting.TakeWhile(one => one != mine).ToList();
        var onCompute = rig.Running.Where(running => running.Job.Compute == job.Compute).ToList();
        int Places(string experiment) => onCompute.Where(running => running.Job.Experiment == experiment).Sum(running => running.Slot.Places);

        Assert.True(onCompute.Sum(running => running.Slot.Places) + mine.Slots <= Nodes[compute], "the compute is over its places");
        Assert.True(rig.Running.Sum(running => running.Slot.Places) + mine.Slots <= HostSlots, "the host is over its places");
        Assert.DoesNotContain(before, one => (one.Compute, one.Experiment, one.Rank) == (mine.Compute, mine.Experiment, mine.Rank));

        // Whoever should have gone first did not fit: with at least as much room as this one, it had gone.
        foreach (var other in waiting.Where(one => one.Compute == compute && one.Slots <= mine.Slots && one != mine && IsHead(one)))
        {
            Assert.True(other.Rank <= mine.Rank, $"{other} has a higher rank than {mine}");
            Assert.True(other.Rank < mine.Rank || Places(other.Experiment) >= Places(mine.Experiment), $"{other} has fewer places than {mine}");
        }

        waiting.Remove(mine);
    }

    private bool IsHead(Waiting one) => waiting.First(first => (first.Compute, first.Experiment, first.Rank) == (one.Compute, one.Experiment, one.Rank)) == one;
}
