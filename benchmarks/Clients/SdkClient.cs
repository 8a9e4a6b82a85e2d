using System.Diagnostics;
using System.Text.Json;

namespace Zaffre.Benchmarks.Clients;

/// <summary>What one process of the scenario reported, in seconds.</summary>
internal sealed record Scenario(string Version, double Wall, double Import, double Sleep, double Cpu, IReadOnlyDictionary<string, double> Steps, double StreamSleep)
{
    /// <summary>
    /// Wall time without imports and without the client's own sleeps. The job's second lies inside the sleeps of streaming; where these are shorter, the
    /// rest of it is taken off too.
    /// </summary>
    public double Over(double job) => Wall - Import - Sleep - Math.Max(0, job - StreamSleep);
}

/// <summary>A version of azure-ai-ml and how it is run.</summary>
internal sealed record SdkClient(string Name, string Script, IReadOnlyList<string> Command, string PythonPath)
{
    public static IEnumerable<SdkClient> All(string root)
    {
        var script = Path.Combine(root, "benchmarks/Clients/scenario.py");
        yield return new SdkClient("sdk-oldest", script, ["/usr/bin/python3", "-W", "ignore"], Path.Combine(root, "tests/Clients/python/pydash-standin"));
        if (Environment.GetEnvironmentVariable("ZAFFRE_NEWEST_SDK") is { Length: > 0 } newest)
        {
            yield return new SdkClient("sdk-newest", script, [Path.Combine(newest, "python"), "-W", "ignore"], "");
        }
    }

    /// <summary>Runs the scenario in a process of its own; throws <see cref="InvalidOperationException"/> with what the process said when it fails.</summary>
    public async Task<Scenario> RunAsync(IReadOnlyDictionary<string, string> variables)
    {
        var start = new ProcessStartInfo(Command[0], [.. Command.Skip(1), Script]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = Path.GetTempPath() };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        start.Environment["PYTHONPATH"] = PythonPath;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"the scenario failed: {(await error).TrimEnd().Split('\n')[^1]}");
        }

        using var said = JsonDocument.Parse(output.TrimEnd().Split('\n')[^1]);
        var steps = said.RootElement.GetProperty("steps").EnumerateObject().ToDictionary(step => step.Name, step => (Wall: Number(step.Value, "wall"), Sleep: Number(step.Value, "sleep")), StringComparer.Ordinal);
        return new Scenario(
            said.RootElement.GetProperty("version").GetString()!,
            Number(said.RootElement, "wall"),
            Number(said.RootElement, "import"),
            Number(said.RootElement, "sleep"),
            Number(said.RootElement, "cpu"),
            steps.ToDictionary(step => step.Key, step => Math.Round(step.Value.Wall - step.Value.Sleep, 4), StringComparer.Ordinal),
            steps["stream"].Sleep);
    }

    private static double Number(JsonElement of, string name) => of.GetProperty(name).GetDouble();
}
