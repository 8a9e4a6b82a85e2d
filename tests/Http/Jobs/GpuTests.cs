using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Compute;
using Zaffre.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Jobs on GPUs. This host need have none: what the driver would say comes from a program of the test.</summary>
public sealed class GpuTests : IAsyncLifetime
{
    private readonly ZaffreHost host;

    public GpuTests()
    {
        string? program = null;
        host = new ZaffreHost
        {
            Also = services => services
                .AddSingleton(new JobOptions { MetricsInterval = TimeSpan.FromMilliseconds(250) })
                .AddSingleton(new ComputeOptions { Gpus = 2, GpuProgram = program }),
        };
        program = Path.Combine(host.Root, "nvidia-smi");
        File.WriteAllText(program, "#!/bin/sh\necho '00000000:3B:00.0, 11, 1000, 4000, 100.0, 400.0'\necho '00000000:5E:00.0, 22, 2000, 4000, [N/A], 400.0'\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private JobClient Jobs { get; set; } = null!;

    public async Task InitializeAsync()
    {
        await host.InitializeAsync();
        Jobs = new JobClient(host);
        await File.WriteAllTextAsync(Path.Combine(host.Root, "compute.yml"), "sizes:\n- { name: one-gpu, cores: 1, memory_gb: 1, gpus: 1 }\n");
        (await Jobs.Arm.PutAsync("~/computes/gpus", """{"location":"local","properties":{"computeType":"AmlCompute","properties":{"vmSize":"one-gpu","scaleSettings":{"minNodeCount":0,"maxNodeCount":4}}}}""")).Ok();
    }

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Each_job_has_a_gpu_of_its_own_through_a_restart_and_shows_what_it_does()
    {
        await SubmitAsync("first");
        await SubmitAsync("second");
        var (one, other) = (Assert.Single(Gpus("first")), Assert.Single(Gpus("second")));
        Assert.Equal(["0", "1"], new[] { one, other }.Order());
        foreach (var (job, gpu) in new[] { ("first", one), ("second", other) })
        {
            Assert.Equal(gpu == "0" ? 11 : 22, (double)(await Jobs.MetricsAsync(job, "system/gpu_0_utilization_percentage"))[0]!["value"]!);
            Assert.Equal(gpu == "0" ? 25 : 50, (double)(await Jobs.MetricsAsync(job, "system/gpu_0_memory_usage_percentage"))[0]!["value"]!);
            Assert.Equal(gpu == "0" ? 1048.58 : 2097.15, (double)(await Jobs.MetricsAsync(job, "system/gpu_0_memory_usage_megabytes"))[0]!["value"]!);
        }

        Assert.Equal(25, (double)(await Jobs.MetricsAsync(one == "0" ? "first" : "second", "system/gpu_0_power_usage_percentage"))[0]!["value"]!);

        await host.RestartAsync();
        Jobs = new JobClient(host);
        (await Jobs.PutAsync("third", Held)).Ok();
        await ReleaseAsync("first");
        await Jobs.StatusAsync("third", "Running");
        Assert.Equal([one], Gpus("third"));
        Assert.Equal([other], Gpus("second"));
        await ReleaseAsync("second");
        await ReleaseAsync("third");
    }

    private const string Held = """{"computeId":"gpus","command":"until [ -e outputs/enough ]; do sleep 0.05; done"}""";

    private async Task SubmitAsync(string job)
    {
        (await Jobs.PutAsync(job, Held)).Ok();
        await Jobs.StatusAsync(job, "Running");
    }

    private async Task ReleaseAsync(string job)
    {
        var outputs = Directory.EnumerateDirectories(host.Root, $"dcid.{job}", SearchOption.AllDirectories).Select(folder => Path.Combine(folder, "outputs")).Single(Directory.Exists);
        await File.WriteAllTextAsync(Path.Combine(outputs, "enough"), "");
        Assert.Equal("Completed", (await Jobs.EndAsync(job)).Job.At("properties.status"));
    }

    private string[] Gpus(string job)
    {
        var attempt = Directory.EnumerateFiles(Path.Combine(host.Root, "tasks"), "containment", SearchOption.AllDirectories)
            .Single(file => new[] { "mounts", "plan" }.Select(name => Path.Combine(Path.GetDirectoryName(file)!, name)).Any(beside => File.Exists(beside) && File.ReadAllText(beside).Contains($"dcid.{job}/", StringComparison.Ordinal)));
        return [.. File.ReadAllLines(attempt).Where(line => line.StartsWith("gpu ", StringComparison.Ordinal)).Select(line => line[4..])];
    }
}
