using System.Globalization;
using Zaffre.Tests.Clients;
using Zaffre.Tests.Http.Jobs.Model;

namespace Zaffre.Tests.Crash.Jobs;

/// <summary>
/// The server, or a process of a step, is killed at random moments while random pipelines are accepted, run and canceled; in the end each is what
/// the model of their rules says.
/// </summary>
public sealed class PipelineCrashTests : IAsyncLifetime
{
    private const int KillsInCi = 20;
    private readonly ZaffreServer server = new();
    private readonly List<SentPipeline> sent = [];
    private CrashingPipelines? pipelines;

    private CrashingPipelines Pipelines => pipelines!;

    public async Task InitializeAsync()
    {
        await server.InitializeAsync();
        pipelines = new CrashingPipelines(server, await server.TokenAsync());
        await pipelines.SetUpAsync();
    }

    public Task DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Every_pipeline_ends_as_its_rules_say_with_each_step_run_once_and_its_log_whole()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Environment.TickCount;
        var kills = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SOAK"), CultureInfo.InvariantCulture, out var soak) ? soak : KillsInCi;
        Console.WriteLine($"pipeline crash test: {kills} kills, seed {seed} (ZAFFRE_SEED={seed})");
        var random = new Random(seed);
        for (var kill = 0; kill < kills; kill++)
        {
            await RoundAsync(kill, random);
        }

        var ended = 0;
        foreach (var pipeline in sent)
        {
            ended += await CheckAsync(pipeline) ? 1 : 0;
        }

        Assert.True(ended >= kills / 2, $"only {ended} pipelines were accepted: the kills came before anything could happen");
    }

    /// <summary>One kill: of the server, and in every third round of a task besides; some pipelines are canceled around it.</summary>
    private async Task RoundAsync(int round, Random random)
    {
        var one = NewPipeline($"crash{round}", random);
        sent.Add(one);
        var sending = Pipelines.TrySendAsync(one);
        if (round % 4 != 0)
        {
            await sending;
        }

        await Task.Delay(random.Next(0, 600));
        var canceling = round % 5 == 2 ? Pipelines.CancelAsync(sent[random.Next(Math.Max(0, sent.Count - 3), sent.Count)]) : Task.CompletedTask;
        if (round % 3 == 1)
        {
            Pipelines.KillTask(sent, random);
        }

        await Task.Delay(random.Next(0, 100));
        await server.KillAsync();
        await Task.WhenAll(sending, canceling);
        if (round % 3 == 2)
        {
            Pipelines.KillTask(sent, random);
        }

        await server.StartAsync();
    }

    private static SentPipeline NewPipeline(string name, Random random)
    {
        var one = PipelineCases.Random(random);
        var failing = Paths(one.Root, name).Where(_ => random.Next(8) == 0).ToHashSet(StringComparer.Ordinal);
        return new SentPipeline(name, one, failing);
    }

    private static IEnumerable<string> Paths(CaseLevel level, string name) => level.Steps.SelectMany((step, i) => step.Inner is { } inner ? Paths(inner, $"{name}_s{i}") : [$"{name}_s{i}"]);

    /// <summary>False when the server never accepted it.</summary>
    private async Task<bool> CheckAsync(SentPipeline pipeline)
    {
        if (await Pipelines.EndAsync(pipeline.Name) is not { } end)
        {
            Assert.False(pipeline.CancelAccepted);
            return false;
        }

        var model = new PipelineModel(pipeline.Case, pipeline.Name);
        var found = new Dictionary<string, FoundJob>(StringComparer.Ordinal);
        foreach (var job in await Pipelines.TreeAsync(pipeline.Name))
        {
            found[job] = (await Pipelines.FindAsync(job))!;
        }

        var what = $"{pipeline.Case}\nfails: {string.Join(" ", pipeline.Failing)}; hit: {string.Join(" ", pipeline.Hit)}; cancel sent {pipeline.CancelSent}, accepted {pipeline.CancelAccepted}\n"
            + string.Join("\n", found.Select(pair => $"{pair.Key}: {pair.Value}"));
        Assert.All(found.Values, job => Assert.True(job.Status is "Completed" or "Failed" or "Canceled", what));
        Assert.True(!pipeline.CancelAccepted || end.Status == "Canceled", "a cancellation was lost: " + what);
        Assert.True(end.Status != "Canceled" || pipeline.CancelSent, what);
        if (end.Status != "Canceled" && pipeline.Case.GoOn)
        {
            CheckAll(pipeline, model, found, what);
        }
        else
        {
            Play(pipeline, model, found);
            CheckSome(pipeline, model, found, what);
        }

        foreach (var node in model.Root.All.Where(node => node.IsCommand && found.ContainsKey(node.Name)))
        {
            await CheckStepAsync(pipeline, node, found[node.Name]);
        }

        Assert.Equal((pipeline.Name, end.Status == "Completed" ? 1 : 0), (pipeline.Name, await Pipelines.VersionsAsync(pipeline.Name)));
        return true;
    }

    /// <summary>Lets every command of the model end as it did, or as it would have.</summary>
    private static void Play(SentPipeline pipeline, PipelineModel model, Dictionary<string, FoundJob> found)
    {
        while (model.Running.FirstOrDefault() is { } next)
        {
            var killed = pipeline.Hit.Contains(next.Name) && found.GetValueOrDefault(next.Name)?.Status == "Failed";
            model.Exit(next, killed || pipeline.Failing.Contains(next.Path) ? 3 : 0);
        }
    }

    /// <summary>Nothing depends on time: the model says everything, given how the steps ended that were killed.</summary>
    private static void CheckAll(SentPipeline pipeline, PipelineModel model, Dictionary<string, FoundJob> found, string what)
    {
        Play(pipeline, model, found);
        Assert.Equal(model.Root.All.Select(node => node.Name).Order(StringComparer.Ordinal), found.Keys.Order(StringComparer.Ordinal));
        foreach (var node in model.Root.All)
        {
            Assert.True(node.Status == found[node.Name].Status, $"{node.Name} should be {node.Status}\n{what}");
            Assert.True(node.Code == found[node.Name].Code || pipeline.Hit.Contains(node.Name), $"{node.Name} should have the code {node.Code}\n{what}");
        }
    }

    /// <summary>What runs beside a failure or a cancellation may end before it is ended: but nothing completes without what it needs.</summary>
    private static void CheckSome(SentPipeline pipeline, PipelineModel model, Dictionary<string, FoundJob> found, string what)
    {
        bool Whole(ModelNode node) => found[node.Name].Status == "Completed" || found[node.Name].Code == "BranchNotTaken";
        foreach (var node in model.Root.All.Where(node => found.ContainsKey(node.Name) && found[node.Name].Status != "Canceled"))
        {
            Assert.True(node.Parent is null || node.Needs.All(need => found[need.Name].Status == "Completed"), $"{node.Name} ran without what it needs\n{what}");
            Assert.True(!node.IsCommand || found[node.Name].Status == "Completed" || pipeline.Failing.Contains(node.Path) || pipeline.Hit.Contains(node.Name), $"{node.Name} failed\n{what}");
            Assert.True(node.Level is null || (found[node.Name].Status == "Completed") == node.Children.All(Whole), $"{node.Name} does not fit its steps\n{what}");
        }
    }

    /// <summary>It ran once at most; whole log and output when nobody disturbed it.</summary>
    private async Task CheckStepAsync(SentPipeline pipeline, ModelNode node, FoundJob job)
    {
        var runs = await Pipelines.OutputAsync(node.Name, "ledger", "runs") ?? "";
        var log = await Pipelines.LogAsync(node.Name);
        var whole = CrashingPipelines.LogOf(node.Path);
        if (job.Status == "Completed" || (job.Status == "Failed" && !pipeline.Hit.Contains(node.Name)))
        {
            Assert.Equal((node.Name, "ran\n", whole), (node.Name, runs, log));
            Assert.Equal(PipelineModel.Output(node), await Pipelines.OutputAsync(node.Name, "out"));
        }
        else
        {
            Assert.True(runs is "" or "ran\n", $"{node.Name} ran more than once: {runs}");
            var own = string.Concat(log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("/bin/bash:", StringComparison.Ordinal)).Select(line => line + "\n"));
            Assert.True(whole.StartsWith(own, StringComparison.Ordinal), $"the log of {node.Name} ({job}) is not the beginning of what it prints:\n{log}");
        }
    }
}
