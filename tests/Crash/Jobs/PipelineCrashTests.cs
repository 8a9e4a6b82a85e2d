using System.Globalization;
using Zaffre.Tests.Clients;
using Zaffre.Tests.Http.Jobs.Model;

namespace Zaffre.Tests.Crash.Jobs;

/// <summary>
/// The server, or a process of a step, is killed at random moments while random pipelines are accepted, decided, reused, run and canceled, and while starts of
/// tasks fail and are tried again; in the end each is what the model of their rules says.
/// </summary>
public sealed class PipelineCrashTests : IAsyncLifetime, IDisposable
{
    private const int KillsInCi = 20;

    /// <summary>So many kills come without a pause, in which everything ends, is looked at, and outputs are deleted.</summary>
    private const int KillsInRow = 7;

    private readonly ZaffreServer server = new();
    private readonly List<SentPipeline> all = [];
    private CrashingPipelines? pipelines;
    private PipelineVerdicts? verdicts;
    private LauncherFaults? faults;

    private CrashingPipelines Pipelines => pipelines!;

    private PipelineVerdicts Verdicts => verdicts!;

    public async Task InitializeAsync()
    {
        await server.InitializeAsync();
        pipelines = new CrashingPipelines(server, await server.TokenAsync());
        await pipelines.SetUpAsync();
        verdicts = new PipelineVerdicts(pipelines);
        faults = new LauncherFaults(server.Data);
        faults.Install();
    }

    public Task DisposeAsync() => server.DisposeAsync();

    public void Dispose() => pipelines?.Dispose();

    [Fact]
    public async Task Every_pipeline_ends_as_its_rules_say_with_each_step_run_once_or_reused_and_its_log_whole()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Environment.TickCount;
        var kills = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SOAK"), CultureInfo.InvariantCulture, out var soak) ? soak : KillsInCi;
        Console.WriteLine($"pipeline crash test: {kills} kills, seed {seed} (ZAFFRE_SEED={seed})");
        var random = new Random(seed);
        for (var kill = 0; kill < kills; kill++)
        {
            try
            {
                await RoundAsync(kill, random);
                if (kill % KillsInRow == KillsInRow - 1 || kill == kills - 1)
                {
                    await Verdicts.CheckAsync();
                    Verdicts.Lose(random);
                }
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"after {kill + 1} kills of seed {seed} (ZAFFRE_SEED={seed}): {exception.Message}", exception);
            }
        }

        Console.WriteLine($"pipeline crash test: {Verdicts}");
        Assert.True(Verdicts.Accepted >= kills / 2, $"only {Verdicts.Accepted} pipelines were accepted: the kills came before anything could happen");
        Assert.NotEqual(0, Verdicts.Reused);
    }

    /// <summary>One kill: of the server, and in two of three rounds of a task besides; some pipelines are canceled around it, some starts fail.</summary>
    private async Task RoundAsync(int round, Random random)
    {
        var one = NewPipeline(round, random);
        all.Add(one);
        Verdicts.Await(one);
        Pipelines.TouchData();
        faults!.Add(random.Next(2) == 0 ? random.Next(1, 4) : 0);
        var sending = Pipelines.TrySendAsync(one);
        if (round % 4 != 0)
        {
            await sending;
        }

        // Half of the kills come while the first steps are decided, half while something runs.
        await Task.Delay(random.Next(0, round % 2 == 0 ? 150 : 700));
        var canceling = round % 5 == 2 ? Pipelines.CancelAsync(all[random.Next(Math.Max(0, all.Count - 3), all.Count)]) : Task.CompletedTask;
        if (round % 3 == 1)
        {
            Pipelines.KillTask(all, random);
        }

        await Task.Delay(random.Next(0, 100));
        await server.KillAsync();
        await Task.WhenAll(sending, canceling);
        if (round % 3 == 2)
        {
            Pipelines.KillTask(all, random);
        }

        await server.StartAsync();
    }

    /// <summary>A pipeline, every other one much like an earlier one.</summary>
    private SentPipeline NewPipeline(int round, Random random)
    {
        var name = $"crash{round}";
        var one = all.Count > 0 && random.Next(2) == 0
            ? PipelineCases.Later(all[random.Next(Math.Max(0, all.Count - 6), all.Count)].Case, random)
            : PipelineCases.Random(random) with { Force = random.Next(6) == 0, Salt = $"salt{round / 5}" };
        var failing = Paths(one.Root, name).Where(_ => random.Next(10) == 0).ToHashSet(StringComparer.Ordinal);
        return new SentPipeline(name, one, failing);
    }

    private static IEnumerable<string> Paths(CaseLevel level, string name) => level.Steps.SelectMany((step, i) => step.Inner is { } inner ? Paths(inner, $"{name}_s{i}") : [$"{name}_s{i}"]);
}
