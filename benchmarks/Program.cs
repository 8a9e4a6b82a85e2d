using Zaffre.Benchmarks;
using Zaffre.Benchmarks.Clients;
using Zaffre.Benchmarks.Core;
using Zaffre.Benchmarks.Jobs;
using Zaffre.Benchmarks.Tracking;

var root = Environment.GetEnvironmentVariable("ZAFFRE_HOME") ?? Directory.GetCurrentDirectory();
var name = args.FirstOrDefault() ?? "core";
var parts = args.Skip(1).ToArray();
Console.WriteLine(Machine.Describe());
Func<string, Task<IReadOnlyList<Figure>>>? run = name switch
{
    "core" => CoreBenchmark.RunAsync,
    "clients" => ClientsBenchmark.RunAsync,
    "jobs" => JobsBenchmark.RunAsync,
    "tracking" => home => TrackingBenchmark.RunAsync(home, parts),
    _ => null,
};
if (run is null)
{
    await Console.Error.WriteLineAsync($"There is no benchmark '{name}'; there are: core, clients, jobs, tracking.");
    return 2;
}

await Report.WriteAsync(root, string.Join('-', [name, .. parts]), await Report.JudgeAsync(root, name, await run(root)));
return 0;
