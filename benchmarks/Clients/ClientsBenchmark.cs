using System.Diagnostics;
using System.Globalization;
using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Clients;

/// <summary>
/// The scenario of <c>scenario.py</c> (get workspace, upload 20 files, submit, stream a one-second job, download, register) with the oldest and the newest
/// azure-ai-ml: alone, and 32 of each at once. Each process imports the SDK for itself; what it sleeps by its own choice is measured inside.
/// </summary>
internal static class ClientsBenchmark
{
    private const int Runs = 5;

    private const int AtOnce = 32;

    /// <summary>The part of the job's second that no sleep of the client covers counts neither for the client nor for the server.</summary>
    private const double JobSeconds = 1.0;

    public static async Task<IReadOnlyList<Figure>> RunAsync(string root)
    {
        var program = Path.Combine(root, "artifacts/zaffre/current/zaffre");
        var folder = Directory.CreateTempSubdirectory("zaffre-bench-").FullName;

        // The jobs' user, who is not the server's, crosses this folder.
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        var figures = new List<Figure>();
        try
        {
            foreach (var client in SdkClient.All(root))
            {
                await using var server = await ZaffreServer.StartAsync(program, Path.Combine(folder, client.Name));
                figures.AddRange(await TryAsync(client, server));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return figures;
    }

    // A version that cannot be measured says why; the figures of the other stand.
    private static async Task<IReadOnlyList<Figure>> TryAsync(SdkClient client, ZaffreServer server)
    {
        try
        {
            var variables = await VariablesAsync(server);
            return [.. await AloneAsync(client, variables, server), .. await TogetherAsync(client, variables, server)];
        }
        catch (InvalidOperationException exception)
        {
            await Console.Error.WriteLineAsync($"not measured: {client.Name}: {exception.Message}");
            return [];
        }
    }

    private static async Task<Dictionary<string, string>> VariablesAsync(ZaffreServer server) => (await server.RunAsync("exec", "--", "env"))
        .Split('\n')
        .Select(line => line.Split('=', 2))
        .Where(pair => pair.Length == 2)
        .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

    private static async Task<IReadOnlyList<Figure>> AloneAsync(SdkClient client, Dictionary<string, string> variables, ZaffreServer server)
    {
        await client.RunAsync(variables);
        List<double> over = [], wall = [], cpu = [], clientCpu = [];
        List<Scenario> runs = [];
        for (var run = 0; run < Runs; run++)
        {
            var before = server.ProcessorTime();
            var scenario = await client.RunAsync(variables);
            cpu.Add((server.ProcessorTime() - before).TotalMilliseconds);
            runs.Add(scenario);
            over.Add(scenario.Over(JobSeconds));
            wall.Add(scenario.Wall);
            clientCpu.Add(scenario.Cpu);
        }

        Console.WriteLine($"{client.Name}: azure-ai-ml {runs[0].Version}");
        return
        [
            Figure.Of($"{client.Name}.over-job", "s", over),
            Figure.Of($"{client.Name}.server-cpu", "ms", cpu),
            Figure.Of($"{client.Name}.wall", "s", wall),
            Figure.Of($"{client.Name}.import", "s", [.. runs.Select(run => run.Import)]),
            Figure.Of($"{client.Name}.sleep", "s", [.. runs.Select(run => run.Sleep)]),
            Figure.Of($"{client.Name}.client-cpu", "s", clientCpu),
            .. runs[0].Steps.Keys.Select(step => Figure.Of($"{client.Name}.{step.Replace(' ', '-')}", "s", [.. runs.Select(run => run.Steps[step])])),
        ];
    }

    private static async Task<IReadOnlyList<Figure>> TogetherAsync(SdkClient client, Dictionary<string, string> variables, ZaffreServer server)
    {
        var before = server.ProcessorTime();
        var began = Stopwatch.GetTimestamp();
        var ended = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => TryAsync(client, variables)));
        var wall = Stopwatch.GetElapsedTime(began);
        var cpu = server.ProcessorTime() - before;
        foreach (var error in ended.OfType<string>().Distinct(StringComparer.Ordinal).Take(3))
        {
            await Console.Error.WriteLineAsync($"{client.Name}: {error}");
        }

        return
        [
            new Figure(string.Create(CultureInfo.InvariantCulture, $"{client.Name}.{AtOnce}-at-once.errors"), ended.Count(error => error is not null), ""),
            new Figure(string.Create(CultureInfo.InvariantCulture, $"{client.Name}.{AtOnce}-at-once.server-cpu"), Math.Round(cpu.TotalMilliseconds / AtOnce, 1), "ms"),
            new Figure(string.Create(CultureInfo.InvariantCulture, $"{client.Name}.{AtOnce}-at-once.wall"), Math.Round(wall.TotalSeconds, 2), "s"),
        ];
    }

    private static async Task<string?> TryAsync(SdkClient client, Dictionary<string, string> variables)
    {
        try
        {
            await client.RunAsync(variables);
            return null;
        }
        catch (InvalidOperationException exception)
        {
            return exception.Message;
        }
    }
}
