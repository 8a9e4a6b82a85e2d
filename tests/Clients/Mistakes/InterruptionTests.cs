using System.Diagnostics;
using System.Globalization;

namespace Zaffre.Tests.Clients.Mistakes;

/// <summary>Clients that are stopped in the middle: by Ctrl-C, by a kill. What they had begun on the server is whole or is not there.</summary>
[Collection(ZaffreServer.OfConnections)]
public sealed class InterruptionTests(ZaffreServer server)
{
    private const string Waiting = "echo first; while [ ! -e outputs/end ]; do sleep 0.1; done";

    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task Ctrl_C_ends_jobs_stream_and_the_job_goes_on(Sdk sdk, string mode)
    {
        var job = await SubmitAsync("interrupted-" + sdk.ToString().ToLowerInvariant());
        using var reader = Start(sdk, mode, "stream_job.py", job);
        await ReadUntilAsync(reader, "first");
        await EndAsync(reader, "INT");
        Assert.Contains("ended: ", await reader.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        await StillRunsAsync(job);
    }

    [Fact]
    public async Task Ctrl_C_ends_zaffre_job_stream_and_says_that_the_job_goes_on()
    {
        var job = await SubmitAsync("interrupted-zaffre");
        using var reader = ZaffreBinary.Start(ZaffreBinary.Path, ["job", "stream", "-n", job, "--data", server.Data]);
        await ReadUntilAsync(reader, "first");
        await EndAsync(reader, "INT");
        Assert.Equal(130, reader.ExitCode);
        var error = await reader.StandardError.ReadToEndAsync();
        Assert.Contains($"The job {job} goes on.", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        await StillRunsAsync(job);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("KILL")]
    public async Task An_upload_of_2_GB_that_is_cut_off_is_resumed_with_the_blocks_that_are_there(string signal)
    {
        // Twice the size only once: the other is stopped by Ctrl-C and smaller.
        var (blob, size) = ($"cut-{signal.ToLowerInvariant()}", signal == "KILL" ? "2048" : "192");
        using var first = Start(Sdk.Newest, Sdks.Proxy, "long_upload.py", blob, size);
        Assert.Equal("there 0", await first.StandardOutput.ReadLineAsync());
        for (var staged = 0; staged < (signal == "KILL" ? 30 : 2); staged++)
        {
            Assert.StartsWith("staged ", await first.StandardOutput.ReadLineAsync(), StringComparison.Ordinal);
        }

        await EndAsync(first, signal);
        var output = (await server.ExecAsync([.. Sdk.Newest.Command(), Path.Combine(ZaffreBinary.Python, "long_upload.py"), blob, size], Variables(Sdk.Newest))).Succeeded().Output;
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var there = int.Parse(lines[0]["there ".Length..], CultureInfo.InvariantCulture);
        Assert.InRange(there, signal == "KILL" ? 30 : 2, int.Parse(size, CultureInfo.InvariantCulture) / 32);
        Assert.Equal((int.Parse(size, CultureInfo.InvariantCulture) / 32) - there, lines.Count(line => line.StartsWith("staged ", StringComparison.Ordinal)));
        Assert.Equal("ok upload", lines[^1]);

        // Nothing is left of either: no half of a block, no block that was committed.
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(server.Data, "blobs", ".blocks"), "*", SearchOption.AllDirectories), file => new FileInfo(file).Length > 1024 * 1024);
    }

    private Process Start(Sdk sdk, string mode, string script, params string[] arguments) => ZaffreBinary.Start(
        ZaffreBinary.Path, ["exec", "--data", server.Data, "--mode", mode, "--", .. sdk.Command(), Path.Combine(ZaffreBinary.Python, script), .. arguments], Variables(sdk));

    private static Dictionary<string, string?> Variables(Sdk sdk) =>
        new() { ["PYTHONPATH"] = sdk.PythonPath(), ["PYTHONDONTWRITEBYTECODE"] = "1", ["PYTHONUNBUFFERED"] = "1" };

    private async Task<string> SubmitAsync(string name)
    {
        var file = Path.Combine(Path.GetDirectoryName(server.Data)!, name + ".yml");
        await File.WriteAllTextAsync(file, $"type: command\ncommand: >-\n  {Waiting}\nenvironment:\n  image: mcr.microsoft.com/azureml/base\n");
        (await server.ZaffreAsync("job", "create", "--name", name, "-o", "none", "-f", file)).Succeeded();
        return name;
    }

    private async Task StillRunsAsync(string job)
    {
        Assert.Equal("Running", (await server.ZaffreAsync("job", "show", "-n", job, "--query", "status", "-o", "tsv")).Succeeded().Output.Trim());
        (await server.ZaffreAsync("job", "cancel", "-n", job)).Succeeded();
    }

    private static async Task ReadUntilAsync(Process process, string line)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } read)
        {
            if (read.Trim() == line)
            {
                return;
            }
        }

        Assert.Fail($"'{line}' was never printed: {await process.StandardError.ReadToEndAsync()}");
    }

    // Patience is for a machine under load; a client that hangs never ends.
    private static async Task EndAsync(Process process, string signal)
    {
        (await ZaffreBinary.RunProgramAsync("/bin/kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)])).Succeeded();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(patience.Token);
    }
}
