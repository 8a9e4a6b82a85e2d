using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Database;
using Zaffre.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>A server whose data directory is a file system of 192 MiB, of which 48 are kept free. Mounting one takes root, as the test machines have it.</summary>
public sealed class JobDiskTests : IAsyncLifetime
{
    private readonly ZaffreHost host;

    public JobDiskTests()
    {
        var folder = Directory.CreateTempSubdirectory("zaffre-disk-").FullName;
        Run("mount", "-t", "tmpfs", "-o", "size=192m,mode=0755", "zaffre-test", folder);
        Directory.CreateDirectory(Path.Combine(folder, "data"));
        host = new ZaffreHost
        {
            Root = Path.Combine(folder, "data"),
            Also = services => services.AddSingleton(new JobOptions { DiskReserve = 48 << 20, DiskInterval = TimeSpan.FromMilliseconds(20), RetryPause = TimeSpan.FromMilliseconds(10) }),
        };
    }

    private string Disk => Path.GetDirectoryName(host.Root)!;

    private Arm Arm => Jobs.Arm;

    private JobClient Jobs { get; set; } = null!;

    public async Task InitializeAsync()
    {
        await host.InitializeAsync();
        Jobs = new JobClient(host);
    }

    public async Task DisposeAsync()
    {
        await host.DisposeAsync();
        Run("umount", "-l", Disk);
        Directory.Delete(Disk);
    }

    [Fact]
    public async Task A_job_that_fills_the_disk_is_ended_and_the_others_live()
    {
        (await Jobs.PutAsync("modest", """{"command":"echo small >outputs/file; while [ ! -e /mnt/azureml/wd/logs/go ]; do sleep 0.02; done; echo done"}""")).Ok();
        await Jobs.StatusAsync("modest", "Running");

        // In its scratch files, which go with it.
        (await Jobs.PutAsync("greedy", """{"command":"echo begins; for i in $(seq 1000); do head -c 2M /dev/zero >/tmp/$i; sleep 0.01; done"}""")).Ok();
        var (greedy, log) = await Jobs.EndAsync("greedy");
        Assert.Equal(("Failed", "DiskLimit", "begins\n"), (greedy.At("properties.status"), Own(greedy, "error.code"), log));
        Assert.Matches("The job was ended before it filled the disk. [0-9.]+ MiB were left of the disk of the server's data directory, where 48.0 MiB are kept for the server, and this job was writing most: [0-9.]+ MiB. What to do: write less", Own(greedy, "error.message"));
        (await Jobs.PutAsync("after", """{"command":"head -c 20M /dev/zero >big; echo fits"}""")).Ok();
        Assert.Equal("fits\n", (await Jobs.EndAsync("after")).Log);

        // In its log, which stays until it is deleted.
        (await Jobs.PutAsync("talker", """{"command":"while :; do head -c 2M /dev/zero; sleep 0.01; done"}""")).Ok();
        await Jobs.StatusAsync("talker", "Failed");
        Assert.Equal("DiskLimit", Own((await Arm.GetAsync("~/jobs/talker")).Ok(), "error.code"));
        (await Jobs.PutAsync("small", """{"command":"echo small"}""")).Ok();
        Assert.Equal("small\n", (await Jobs.EndAsync("small")).Log);
        Assert.Equal(HttpStatusCode.OK, (await Arm.DeleteAsync("~/jobs/talker")).Status);

        await File.WriteAllTextAsync(Path.Combine(ArtifactsOf("modest"), "logs", "go"), "");
        var (modest, _) = await Jobs.EndAsync("modest");
        Assert.Equal("Completed", modest.At("properties.status"));
    }

    [Fact]
    public async Task On_a_full_disk_nothing_is_lost_and_jobs_end_when_there_is_space_again()
    {
        const string waits = "echo begins; while [ ! -e /mnt/azureml/wd/logs/go ]; do sleep 0.02; done; ";
        (await Jobs.PutAsync("succeeds", new JsonObject { ["command"] = waits + "true" }.ToJsonString())).Ok();
        (await Jobs.PutAsync("writes", new JsonObject { ["command"] = waits + "echo result >outputs/result" }.ToJsonString())).Ok();
        (await Jobs.PutAsync("canceled", new JsonObject { ["command"] = waits }.ToJsonString())).Ok();
        foreach (var name in (string[])["succeeds", "writes", "canceled"])
        {
            await Jobs.StatusAsync(name, "Running");
            Assert.StartsWith("begins", await BegunAsync(name), StringComparison.Ordinal);
        }

        Fill();
        var refused = await RefusedAsync();
        Assert.Equal("InsufficientStorage", refused.Body["error"]!["code"]!.ToString());
        Assert.InRange((int)refused.Status, 400, 499);
        Assert.Equal("Running", (await Arm.GetAsync("~/jobs/succeeds")).Ok().At("properties.status"));
        foreach (var name in (string[])["succeeds", "writes"])
        {
            Directory.CreateDirectory(Path.Combine(ArtifactsOf(name), "logs", "go"));
        }

        // A cancellation that cannot be kept is refused; it is asked for again.
        using (var cancel = await Jobs.CancelAsync("canceled"))
        {
            Assert.False(cancel.IsSuccessStatusCode);
        }

        File.Delete(Path.Combine(Disk, "filler"));
        (await Jobs.CancelAsync("canceled")).Dispose();
        Assert.Equal("Completed", (await Jobs.EndAsync("succeeds")).Job.At("properties.status"));
        Assert.Equal("Canceled", (await Jobs.EndAsync("canceled")).Job.At("properties.status"));
        var (writes, _) = await Jobs.EndAsync("writes");
        Assert.Equal("Failed", writes.At("properties.status"));
        Assert.Contains("No space left on device", Own(writes, "error.message"), StringComparison.Ordinal);
        Assert.Equal("DiskFull", Own(writes, "error.code"));

        await host.RestartAsync();
        Assert.Equal(["ok"], await host.Get<IDatabase>().ReadAsync(connection => connection.Query<string>("PRAGMA integrity_check").ToArray(), CancellationToken.None));
        Assert.Equal(HttpStatusCode.NotFound, (await Arm.GetAsync("~/jobs/refused")).Status);
        (await Jobs.PutAsync("again", """{"command":"echo works"}""")).Ok();
        Assert.Equal("works\n", (await Jobs.EndAsync("again")).Log);
    }

    private static string Own(JsonObject job, string name) => job["properties"]!["properties"]!["zaffre." + name]!.ToString();

    private string ArtifactsOf(string job) => Directory.GetDirectories(Path.Combine(host.Root, "blobs"), "dcid." + job, SearchOption.AllDirectories).Single();

    private async Task<string> BegunAsync(string job)
    {
        var log = Path.Combine(ArtifactsOf(job), "user_logs", "std_log.txt");
        for (var wait = 0; new FileInfo(log).Length == 0 && wait < 1000; wait++)
        {
            await Task.Delay(10);
        }

        return await File.ReadAllTextAsync(log);
    }

    private void Fill()
    {
        using var filler = new FileStream(Path.Combine(Disk, "filler"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            var block = new byte[4096];
            while (true)
            {
                filler.Write(block);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>What has room in files that are there is still written; then a submission is refused.</summary>
    private async Task<(HttpStatusCode Status, JsonObject Body)> RefusedAsync()
    {
        for (var i = 0; ; i++)
        {
            var answer = await Arm.PutAsync(i == 0 ? "~/jobs/refused" : $"~/environments/fills/versions/{i}", i == 0
                ? new JsonObject { ["properties"] = new JsonObject { ["jobType"] = "Command", ["command"] = "true", ["environmentId"] = $"{Arm.Main.Id}/environments/plain/versions/1", ["description"] = new string('x', 500_000) } }.ToJsonString()
                : new JsonObject { ["properties"] = new JsonObject { ["image"] = "debian", ["description"] = new string('x', 50_000) } }.ToJsonString());
            if ((int)answer.Status >= 400 || i > 2000)
            {
                return answer;
            }
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false })!;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} failed: this test mounts a small file system and needs root.");
    }
}
