using System.Diagnostics;
using Xunit;
using Zaffre.Compute;
using Zaffre.Compute.Launch;
using Zaffre.Compute.Staging;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>What a task plants in folders that the server walks later, perhaps as root.</summary>
public sealed class PlantedTreeTests : IDisposable
{
    private readonly DataDirectory data = new(Directory.CreateTempSubdirectory("zaffre-planted-").FullName);
    private readonly FileTree files;
    private readonly string artifacts;
    private readonly string outside;

    public PlantedTreeTests()
    {
        files = new FileTree(data);
        artifacts = Directory.CreateDirectory(data.Path("blobs", "account", "azureml", "ExperimentRun", "dcid.job")).FullName;
        outside = Directory.CreateDirectory(data.Path("outside")).FullName;
        File.WriteAllText(Path.Combine(outside, "secret"), "secret");
        File.SetUnixFileMode(Path.Combine(outside, "secret"), UnixFileMode.UserRead);
    }

    public void Dispose() => Process.Start("rm", ["-rf", data.Root]).WaitForExit();

    [Theory]
    [InlineData("outputs")]
    [InlineData("logs")]
    [InlineData("user_logs")]
    public async Task A_link_planted_in_the_place_of_a_job_s_folder_refuses_the_job_and_leads_nowhere(string planted)
    {
        File.CreateSymbolicLink(Path.Combine(artifacts, planted), outside);

        var prepared = await Prepare(new StagingRequest { Id = new TaskId("job", 1), ArtifactPath = artifacts });

        Assert.Equal("StagingFailed", prepared.Problem?.Code);
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(outside).Select(Path.GetFileName));
        Assert.Equal(Native.EffectiveUser(), Native.Identify(Path.Combine(outside, "secret"))?.User);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_link_planted_in_the_place_of_an_output_refuses_the_job_and_leads_nowhere(bool isFile)
    {
        var place = Path.Combine(artifacts, "results");
        File.CreateSymbolicLink(place, isFile ? Path.Combine(outside, "made") : outside);

        var prepared = await Prepare(new StagingRequest { Id = new TaskId("job", 1), ArtifactPath = artifacts, Outputs = [new TaskOutput("o", place, isFile)] });

        Assert.Equal("StagingFailed", prepared.Problem?.Code);
        Assert.False(Path.Exists(Path.Combine(outside, "made")));
        Assert.Equal(Native.EffectiveUser(), Native.Identify(Path.Combine(outside, "secret"))?.User);
    }

    [Fact]
    public void What_lies_behind_a_link_is_neither_visited_nor_opened_up()
    {
        File.CreateSymbolicLink(Path.Combine(artifacts, "link"), outside);
        var visited = 0;

        files.Visit(Path.Combine(artifacts, "link", "secret"), _ => visited++);
        files.Visit(artifacts, entry => FileTree.Open(entry));
        files.Visit(Path.Combine(artifacts, "link"), entry => FileTree.Open(entry));

        Assert.Equal(0, visited);
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(Path.Combine(outside, "secret")));
    }

    [Fact]
    public void A_folder_that_was_shut_is_opened_up_with_all_that_is_in_it()
    {
        var shut = Directory.CreateDirectory(Path.Combine(artifacts, "shut")).FullName;
        File.WriteAllText(Path.Combine(shut, "file"), "");
        File.SetUnixFileMode(Path.Combine(shut, "file"), UnixFileMode.None);
        File.SetUnixFileMode(shut, UnixFileMode.None);

        files.Visit(artifacts, entry => FileTree.Open(entry));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(shut));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(shut, "file")));
    }

    [Fact]
    public async Task Code_is_copied_with_its_permissions_and_without_links_and_pipes()
    {
        var code = Directory.CreateDirectory(data.Path("blobs", "account", "code", "folder")).FullName;
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(code, "src")).FullName, "train.sh"), "echo");
        const UnixFileMode executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.SetUnixFileMode(Path.Combine(code, "src", "train.sh"), executable);
        File.CreateSymbolicLink(Path.Combine(code, "link"), Path.Combine(outside, "secret"));
        await Shell($"mkfifo {code}/pipe");
        var copy = Directory.CreateDirectory(data.Path("tasks", "copy")).FullName;

        await Task.Run(() => files.Copy(code, copy)).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(["src"], Directory.GetFileSystemEntries(copy).Select(Path.GetFileName));
        Assert.Equal("echo", File.ReadAllText(Path.Combine(copy, "src", "train.sh")));
        Assert.Equal(executable, File.GetUnixFileMode(Path.Combine(copy, "src", "train.sh")));
    }

    [Theory]
    [InlineData("for i in $(seq 600); do mkdir dddddddddd && cd dddddddddd; done; touch last")]
    [InlineData(@"touch ""$(printf '\377\376name')""; mkdir ""$(printf 'folder\377')""")]
    [InlineData("mkdir -p shut/below && touch shut/below/file && chmod 0 shut/below && chmod 0 shut")]
    [InlineData("mkfifo pipe; ln -s / link; ln -s nowhere broken")]
    public async Task Whatever_a_task_leaves_is_deleted(string command)
    {
        var scratch = Directory.CreateDirectory(data.Path("tasks", "job", "1", "work")).FullName;
        await Shell($"cd {scratch} && {command}");

        await Task.Run(() => TaskFile.DeleteFolder(data, scratch)).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.False(Directory.Exists(scratch));
        Assert.True(File.Exists(Path.Combine(outside, "secret")));
    }

    [Fact]
    public async Task The_last_line_of_a_log_is_not_read_through_a_link_or_from_a_pipe()
    {
        File.CreateSymbolicLink(Path.Combine(artifacts, "link"), Path.Combine(outside, "secret"));
        await Shell($"mkfifo {artifacts}/pipe");

        Assert.Null(LogFile.LastLine(files, Path.Combine(artifacts, "link")));
        Assert.Null(await Task.Run(() => LogFile.LastLine(files, Path.Combine(artifacts, "pipe"))).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal("secret", LogFile.LastLine(files, Path.Combine(outside, "secret")));
    }

    [Fact]
    public async Task What_a_task_tells_in_a_file_is_read_from_a_plain_file_only_and_not_without_end()
    {
        File.CreateSymbolicLink(Path.Combine(artifacts, "link"), Path.Combine(outside, "secret"));
        File.WriteAllText(Path.Combine(artifacts, "long"), "0123456789");
        await Shell($"mkfifo {artifacts}/pipe");

        Assert.Null(TaskFile.TryRead(artifacts, "link", 100));
        Assert.Null(TaskFile.TryRead(artifacts, "nothing", 100));
        Assert.Null(await Task.Run(() => TaskFile.TryRead(artifacts, "pipe", 100)).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal("01234", TaskFile.TryRead(artifacts, "long", 5));
    }

    private async Task<Outcome<StagedTask>> Prepare(StagingRequest request)
    {
        using var remote = new RemoteInputs(new ComputeOptions());
        return await new TaskStaging(data, new Admitted(), remote).PrepareAsync(request, CancellationToken.None);
    }

    private static async Task Shell(string command)
    {
        using var shell = Process.Start("/bin/bash", ["-c", command]);
        await shell.WaitForExitAsync();
        Assert.Equal(0, shell.ExitCode);
    }

    private sealed class Admitted : ITaskAdmission
    {
        public ValueTask<Outcome<HostSandbox>> AdmitAsync(CancellationToken ct) => ValueTask.FromResult<Outcome<HostSandbox>>(new HostSandbox
        {
            Root = Native.EffectiveUser() == 0,
            Sandboxed = true,
            User = 64200,
            Group = 64200,
            NotIsolated = [],
            ResetsSignals = true,
            BoundsSharedMemory = true,
        });
    }
}
