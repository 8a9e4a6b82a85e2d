using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Compute;

namespace Zaffre.Tests.Http.Jobs.Model;

/// <summary>Random pipelines against a small model of what docs/jobs.md promises. Seed: ZAFFRE_SEED; number of cases: ZAFFRE_SOAK.</summary>
public sealed class PipelineModelTests : IAsyncLifetime
{
    private const int CasesInCi = 120;
    private const int AtOnce = 12;
    private const int MostShrinks = 150;

    private readonly ScriptedLauncher launcher = new();
    private readonly ZaffreHost host;
    private readonly int seed = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Environment.TickCount;
    private readonly int cases = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SOAK"), CultureInfo.InvariantCulture, out var soak) ? soak : CasesInCi;

    public PipelineModelTests() => host = new ZaffreHost
    {
        Also = services => services.AddSingleton<ITaskLauncher>(launcher).AddSingleton(new ComputeOptions { Slots = 1000 }),
    };

    public async Task InitializeAsync()
    {
        await host.InitializeAsync();
        await PipelineDriver.SetUpAsync(host);
    }

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Random_pipelines_start_skip_fail_and_end_as_the_model_says()
    {
        var kinds = Enumerable.Range(0, cases).SelectMany(index => Steps(Case(index).Root)).CountBy(step => step.Control?.Kind.ToString() ?? (step.Inner is null ? "command" : "nested")).Select(kind => $"{kind.Value} {kind.Key}");
        Console.WriteLine($"pipeline model test: {cases} cases, seed {seed} (ZAFFRE_SEED={seed}): {string.Join(", ", kinds)}");
        var failures = new List<(int Index, PipelineCase Case, Exception Why)>();
        await Parallel.ForAsync(0, cases, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (index, _) =>
        {
            var one = Case(index);
            try
            {
                await new PipelineDriver(host, launcher, TimeSpan.FromSeconds(30)).RunAsync(one, $"case{index}");
            }
            catch (Exception exception)
            {
                lock (failures)
                {
                    failures.Add((index, one, exception));
                }
            }
        });
        if (failures.Count > 0)
        {
            var (index, one, why) = failures.MinBy(failure => failure.Case.ToString().Length);
            var (smallest, because) = await ShrinkAsync(one, why);
            Assert.Fail($"{failures.Count} of {cases} cases, case {index} of seed {seed} among them (ZAFFRE_SEED={seed}). Shrunk:\n{smallest}\n{because.Message}\nIt was:\n{one}\n{why.Message}\nOthers:\n"
                + string.Join("\n", failures.Select(failure => failure.Why.Message.Split('\n')[0]).Distinct().Take(20)));
        }
    }

    [Fact]
    public async Task Later_pipelines_reuse_what_saw_the_same_completed_and_still_has_its_outputs()
    {
        const int longest = 4;
        var failures = new List<string>();
        var counts = new ConcurrentBag<(int Ran, int Reused)>();
        await Parallel.ForAsync(0, Math.Max(1, cases / longest), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (index, _) =>
        {
            var random = new Random(unchecked((seed * 1_000_033) + index));
            var driver = new PipelineDriver(host, launcher, TimeSpan.FromSeconds(30));
            var one = Case(2_000_000 + index) with { Salt = $"family{index}" };
            var told = new List<string>();
            try
            {
                for (var run = 1; run <= longest; run++)
                {
                    told.Add($"{run}: {one}");
                    await driver.RunAsync(one, $"family{index}x{run}");
                    counts.Add(driver.Count());
                    one = PipelineCases.Later(one, random);
                    if (random.Next(3) == 0)
                    {
                        var which = random.Next(1000);
                        told.Add($"the outputs of {await driver.LoseAsync(which)} are deleted");
                    }
                }
            }
            catch (Exception exception)
            {
                lock (failures)
                {
                    failures.Add($"family {index} of seed {seed} (ZAFFRE_SEED={seed} ZAFFRE_SOAK={cases}):\n{string.Join("\n", told)}\n{exception.Message}");
                }
            }
        });
        Console.WriteLine($"pipeline model test: seed {seed} (ZAFFRE_SEED={seed}): {counts.Sum(count => count.Ran)} steps ran, {counts.Sum(count => count.Reused)} were reused");
        Assert.True(failures.Count == 0, $"{failures.Count} failed; the shortest: {failures.MinBy(failure => failure.Length)}");
        Assert.NotEqual(0, counts.Sum(count => count.Reused));
    }

    [Fact]
    public async Task Pipelines_go_on_as_the_model_says_after_restarts_of_the_server()
    {
        const int rounds = 8;
        var drivers = Enumerable.Range(0, Math.Max(1, cases / 10)).Select(_ => new PipelineDriver(host, launcher, TimeSpan.FromSeconds(30))).ToArray();
        await Parallel.ForAsync(0, drivers.Length, async (i, _) =>
        {
            var one = Case(1_000_000 + i) with { Salt = $"restarted{i}" };
            await drivers[i].RunAsync(one, $"before{i}");
            await drivers[i].SubmitAsync(PipelineCases.Later(one, new Random(i)), $"restarted{i}");
        });
        for (var round = 0; round < rounds; round++)
        {
            await Parallel.ForEachAsync(drivers, async (driver, _) => await MoveAsync(driver));
            await host.RestartAsync();
        }

        await Parallel.ForEachAsync(drivers, async (driver, _) =>
        {
            while (await MoveAsync(driver))
            {
            }

            await driver.CheckEndAsync();
        });
    }

    private static IEnumerable<CaseStep> Steps(CaseLevel level) => level.Steps.SelectMany(step => step.Inner is null ? [step] : Steps(step.Inner).Prepend(step));

    private PipelineCase Case(int index) => PipelineCases.Random(new Random(unchecked((seed * 1_000_003) + index)));

    private async Task<bool> MoveAsync(PipelineDriver driver)
    {
        try
        {
            return await driver.MoveAsync();
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"ZAFFRE_SEED={seed} ZAFFRE_SOAK={cases}: {driver}: {exception.Message}", exception);
        }
    }

    private async Task<(PipelineCase Case, Exception Why)> ShrinkAsync(PipelineCase failing, Exception why)
    {
        var tries = 0;
        var smaller = true;
        while (smaller)
        {
            smaller = false;
            foreach (var candidate in PipelineCases.Smaller(failing))
            {
                if (++tries > MostShrinks)
                {
                    return (failing, why);
                }

                try
                {
                    await new PipelineDriver(host, launcher, TimeSpan.FromSeconds(3)).RunAsync(candidate, $"shrunk{tries}");
                }
                catch (Exception exception)
                {
                    (failing, why, smaller) = (candidate, exception, true);
                    break;
                }
            }
        }

        return (failing, why);
    }
}
