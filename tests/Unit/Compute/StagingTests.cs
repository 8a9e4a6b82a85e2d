using Zaffre.Compute;
using Zaffre.Compute.Staging;

namespace Zaffre.Tests.Unit.Compute;

public sealed class StagingTests(TaskRig rig) : IClassFixture<TaskRig>
{
    private static int next;

    private readonly string name = FormattableString.Invariant($"staged{Interlocked.Increment(ref next)}");

    [Fact]
    public async Task A_job_reads_inputs_writes_outputs_and_cannot_change_its_code()
    {
        var code = Folder("code", ("train.py", "original"));
        var request = Request() with
        {
            CodePath = code,
            Inputs = [new TaskInput("folder") { LocalPath = Folder("in put", ("a.txt", "A")) }, new TaskInput("file") { LocalPath = Path.Combine(Folder("file", ("b.txt", "B")), "b.txt") }],
            Outputs = [new TaskOutput("model", rig.Data.Path("blobs", name, "model")), new TaskOutput("report", rig.Data.Path("blobs", name, "r", "report.txt"), IsFile: true)],
        };
        var (record, log) = await RunAsync(request, s => $$"""
            cat train.py '{{s.InputPaths["folder"]}}/a.txt' '{{s.InputPaths["file"]}}' && echo changed >train.py
            echo m >'{{s.OutputPaths["model"]}}/m.pkl' && echo r >'{{s.OutputPaths["report"]}}'
            echo o >outputs/o.txt && mkdir -p logs/deep && echo l >logs/deep/l.txt
            pwd && echo $HOME $TMPDIR && touch $HOME/h /tmp/t && stat -f -c %T /tmp
            """);

        Assert.True(record.Succeeded, log);
        Assert.StartsWith("originalAB", log, StringComparison.Ordinal);
        Assert.Contains("/mnt/azureml/wd\n/mnt/azureml/home /tmp\n", log, StringComparison.Ordinal);
        Assert.DoesNotContain("tmpfs", log, StringComparison.Ordinal);
        Assert.Equal("original", await File.ReadAllTextAsync(Path.Combine(code, "train.py")));
        Assert.Equal("m\n", await File.ReadAllTextAsync(rig.Data.Path("blobs", name, "model", "m.pkl")));
        Assert.Equal("r\n", await File.ReadAllTextAsync(rig.Data.Path("blobs", name, "r", "report.txt")));
        Assert.Equal("o\n", await File.ReadAllTextAsync(Path.Combine(request.ArtifactPath, "outputs", "o.txt")));
        Assert.Equal("l\n", await File.ReadAllTextAsync(Path.Combine(request.ArtifactPath, "logs", "deep", "l.txt")));
    }

    [Fact]
    public async Task What_a_job_made_unreadable_is_readable_after_the_end_and_links_are_not_followed()
    {
        var outside = rig.Data.Path("outside-" + name);
        await File.WriteAllTextAsync(outside, "x");
        File.SetUnixFileMode(outside, UnixFileMode.None);
        var request = Request() with { Outputs = [new TaskOutput("model", rig.Data.Path("blobs", name, "model"))] };
        var (record, log) = await RunAsync(request, s => $"cd {s.OutputPaths["model"]} && mkdir d && echo x >d/f && ln -s {outside} link && chmod 0 d/f d");
        Assert.True(record.Succeeded, log);

        Staging().OpenOutputs(request);
        await rig.Launcher.RemoveAsync(request.Id, CancellationToken.None);

        var made = rig.Data.Path("blobs", name, "model", "d");
        Assert.True(File.GetUnixFileMode(made).HasFlag(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.True(File.GetUnixFileMode(Path.Combine(made, "f")).HasFlag(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(outside));
        Assert.False(Directory.Exists(rig.Data.Path("tasks", name, "0", "work")));
    }

    [Fact]
    public async Task A_copied_input_may_be_changed_and_its_source_stays()
    {
        var (folder, file) = (Folder("own", ("a.txt", "A"), ("deep/b.txt", "B")), Path.Combine(Folder("ownfile", ("c.txt", "C")), "c.txt"));
        var request = Request() with { Inputs = [new TaskInput("d") { LocalPath = folder, Copy = true }, new TaskInput("f") { LocalPath = file, Copy = true }] };
        _ = (await Staging().PrepareAsync(request, CancellationToken.None)).Value;
        var (record, log) = await RunAsync(request, s => $"cd {s.InputPaths["d"]} && echo more >>a.txt && rm deep/b.txt && echo new >n && cat a.txt && echo x >>{s.InputPaths["f"]} && cat {s.InputPaths["f"]}");
        Assert.True(record.Succeeded, log);
        Assert.Equal("Amore\nCx\n", log);
        Assert.Equal(("A", "B", "C"), (await File.ReadAllTextAsync(Path.Combine(folder, "a.txt")), await File.ReadAllTextAsync(Path.Combine(folder, "deep", "b.txt")), await File.ReadAllTextAsync(file)));
        Assert.False(File.Exists(Path.Combine(folder, "n")));
    }

    [Fact]
    public async Task Late_outputs_are_published_when_the_task_ended_whole_and_over_what_was_there()
    {
        var (fresh, full, file) = (rig.Data.Path("blobs", name, "fresh"), rig.Data.Path("blobs", name, "full"), rig.Data.Path("blobs", name, "r", "report.txt"));
        foreach (var (path, text) in ((string, string)[])[("keep.txt", "kept"), ("same.txt", "old"), ("deep/keep.txt", "kept")])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(full, path))!);
            await File.WriteAllTextAsync(Path.Combine(full, path), text);
        }

        var request = Request() with
        {
            Outputs = [new TaskOutput("a", fresh) { Late = true }, new TaskOutput("b", full) { Late = true }, new TaskOutput("c", file, IsFile: true) { Late = true }],
        };
        var (record, log) = await RunAsync(request, s => $"""
            mkdir {s.OutputPaths["a"]}/d && echo 1 >{s.OutputPaths["a"]}/d/x && chmod 0 {s.OutputPaths["a"]}/d
            mkdir {s.OutputPaths["b"]}/deep && echo new >{s.OutputPaths["b"]}/same.txt && echo new >{s.OutputPaths["b"]}/deep/new.txt && ln -s /etc/passwd {s.OutputPaths["b"]}/link
            echo report >{s.OutputPaths["c"]}
            """);
        Assert.True(record.Succeeded, log);
        Assert.Equal((false, "old", false), (Directory.Exists(fresh), await File.ReadAllTextAsync(Path.Combine(full, "same.txt")), File.Exists(file)));

        Staging().OpenOutputs(request);
        Assert.Null(Staging().Publish(request));
        Assert.Null(Staging().Publish(request));

        Assert.Equal("1\n", await File.ReadAllTextAsync(Path.Combine(fresh, "d", "x")));
        Assert.Equal("report\n", await File.ReadAllTextAsync(file));
        Assert.Equal(
            ["deep/keep.txt=kept", "deep/new.txt=new\n", "keep.txt=kept", "same.txt=new\n"],
            Directory.EnumerateFiles(full, "*", SearchOption.AllDirectories).Select(path => $"{Path.GetRelativePath(full, path)}={File.ReadAllText(path)}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_late_output_that_does_not_fit_its_place_is_not_published_at_all()
    {
        var place = rig.Data.Path("blobs", name, "place");
        Directory.CreateDirectory(Path.Combine(place, "d"));
        await File.WriteAllTextAsync(Path.Combine(place, "d", "x"), "kept");
        var request = Request() with { Outputs = [new TaskOutput("o", place) { Late = true }] };
        var (record, log) = await RunAsync(request, s => $"echo 1 >{s.OutputPaths["o"]}/a && echo 2 >{s.OutputPaths["o"]}/d");
        Assert.True(record.Succeeded, log);

        var problem = Staging().Publish(request);

        Assert.Equal(("OutputNotPublished", "outputs.o"), (problem!.Code, problem.Target));
        Assert.Contains("'o/d' is a file, and a folder lies at its place", problem.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(place, "a")));
    }

    [Fact]
    public async Task Every_missing_input_is_named()
    {
        var request = Request() with { Inputs = [new TaskInput("a") { LocalPath = rig.Data.Path("no") }, new TaskInput("b") { LocalPath = rig.Data.Path("nope") }] };

        var problem = (await Staging().PrepareAsync(request, CancellationToken.None)).Problem;

        Assert.Equal(["inputs.a", "inputs.b"], problem!.Details.Select(d => d.Target));
    }

    [Fact]
    public async Task Staging_twice_gives_the_same_answer()
    {
        var request = Request() with { CodePath = Folder("code2", ("a", "1")) };
        var first = (await Staging().PrepareAsync(request, CancellationToken.None)).Value;
        var second = (await Staging().PrepareAsync(request, CancellationToken.None)).Value;

        Assert.Equal(first.Binds, second.Binds);
        Assert.Equal(first.WorkingDirectory, second.WorkingDirectory);
    }

    [Theory]
    [InlineData("https://127.0.0.1/x")]
    [InlineData("https://[::1]/x")]
    [InlineData("https://localhost/x")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://10.0.0.1/x")]
    [InlineData("https://[::ffff:169.254.169.254]/x")]
    public async Task Inputs_are_not_fetched_from_inside(string address)
    {
        using var remote = new RemoteInputs(new ComputeOptions());
        var staging = new TaskStaging(rig.Data, rig.Admission, remote);

        var problem = (await staging.PrepareAsync(Request() with { Inputs = [new TaskInput("data") { Remote = new Uri(address) }] }, CancellationToken.None)).Problem;

        Assert.Equal(("InputNotFetched", "inputs.data"), (problem?.Code, problem?.Target));
        Assert.Contains("public", problem!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Allowing_private_inputs_does_not_allow_the_metadata_address()
    {
        using var remote = new RemoteInputs(new ComputeOptions { AllowPrivateInputs = true });

        var problem = (await remote.FetchAsync(new Uri("https://169.254.169.254/x"), rig.Data.Path("x"), CancellationToken.None)).Problem;

        Assert.Contains("public", problem!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://127.0.0.1:1/x", true)]
    [InlineData("https://no-such-host.invalid/x", false)]
    [InlineData("https://169.254.169.254/x", false)]
    public async Task What_the_network_did_may_pass_and_what_the_address_says_stays(string address, bool transient)
    {
        using var remote = new RemoteInputs(new ComputeOptions { AllowPrivateInputs = true });

        var problem = (await remote.FetchAsync(new Uri(address), rig.Data.Path("x"), CancellationToken.None)).Problem;

        Assert.Equal((transient, "InputNotFetched"), (problem!.Transient, problem.Code));
    }

    private TaskStaging Staging() => new(rig.Data, rig.Admission, new RemoteInputs(new ComputeOptions()));

    private StagingRequest Request()
    {
        var artifacts = rig.Data.Path("blobs", name, "artifacts");
        Directory.CreateDirectory(artifacts);
        return new StagingRequest { Id = new TaskId(name, 0), ArtifactPath = artifacts };
    }

    private string Folder(string folder, params (string Name, string Content)[] files)
    {
        var path = rig.Data.Path("blobs", name, folder);
        Directory.CreateDirectory(path);
        foreach (var (file, content) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(path, file))!);
            File.WriteAllText(Path.Combine(path, file), content);
        }

        return path;
    }

    private async Task<(ExitRecord Record, string Log)> RunAsync(StagingRequest request, Func<StagedTask, string> line)
    {
        var prepared = await Staging().PrepareAsync(request, CancellationToken.None);
        Assert.True(prepared.Succeeded, prepared.Problem?.Message);
        var staged = prepared.Value;
        return await rig.RunAsync(new TaskSpec
        {
            Id = request.Id,
            Command = TaskSpec.Shell(line(staged)),
            WorkingDirectory = staged.WorkingDirectory,
            LogPath = staged.LogPath,
            Binds = staged.Binds,
            Environment = new Dictionary<string, string>(staged.Environment) { ["PATH"] = "/usr/bin:/bin" },
        });
    }
}
