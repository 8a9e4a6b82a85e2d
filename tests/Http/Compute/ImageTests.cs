using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Storage;
using Zaffre.Tests.Http.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Compute;

/// <summary>Jobs in containers of images that podman holds in a store of the test's own: a root file system made of this host's shell and a few programs.</summary>
public sealed class ImageTests(PodmanStore store) : IClassFixture<PodmanStore>
{
    private readonly Arm arm = new(store.Host);
    private readonly JobClient jobs = new(store.Host);

    [Fact]
    public async Task A_job_runs_in_its_image_with_its_inputs_outputs_variables_user_and_limits()
    {
        await EnvironmentAsync("tiny", """{"image":"localhost/tiny:1","environmentVariables":{"FROM_DOCUMENT":"document"}}""");
        await PutAsync("contained", "tiny", "box", """
            cat /made-by-image; echo "var $FROM_IMAGE $FROM_DOCUMENT $FROM_JOB"; [ -e /usr/share ] || echo 'no host'; id -u
            echo written >${{outputs.made}}/file; echo artifact >outputs/result.txt; echo x >/etc/forbidden || echo 'read-only'; cat /etc/resolv.conf >/dev/null && echo names; exit 7
            """, """{"outputs":{"made":{"jobOutputType":"uri_folder"}},"environmentVariables":{"FROM_JOB":"job"}}""");

        var (job, log) = await jobs.EndAsync("contained");

        Assert.All(new[] { "this is the image", "var image document job", "no host", "64200", "read-only", "names" }, line => Assert.Contains(line, log, StringComparison.Ordinal));
        Assert.Equal("Failed", job.At("properties.status"));
        Assert.Contains("exit code 7", job["properties"]!["properties"]!["zaffre.error.message"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("artifact\n", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(store.Host.Root, "result.txt", SearchOption.AllDirectories))));
    }

    [Fact]
    public async Task Only_the_computes_that_the_operator_names_run_containers()
    {
        await EnvironmentAsync("tiny", """{"image":"localhost/tiny:1"}""");
        await PutAsync("outside", "tiny", "cpu-cluster", "[ -e /made-by-image ] || echo 'on the host'");

        Assert.Contains("on the host", (await jobs.EndAsync("outside")).Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_is_canceled_and_ended_by_its_timeout_like_every_task()
    {
        await EnvironmentAsync("tiny", """{"image":"localhost/tiny:1"}""");
        await PutAsync("sleeps", "tiny", "box", "trap '' TERM; while :; do sleep 1; done");
        await PutAsync("overstays", "tiny", "box", "sleep 100", """{"limits":{"jobLimitsType":"Command","timeout":"PT1S"}}""");
        await jobs.StatusAsync("sleeps", "Running");
        (await jobs.CancelAsync("sleeps")).Dispose();

        Assert.Equal("Canceled", (await jobs.EndAsync("sleeps")).Job.At("properties.status"));
        Assert.Equal("JobTimedOut", (await jobs.EndAsync("overstays")).Job["properties"]!["properties"]!["zaffre.error.code"]!.ToString());
    }

    [Fact]
    public async Task An_image_that_is_not_there_and_packages_without_a_python_are_refused_by_name()
    {
        await EnvironmentAsync("gone", """{"image":"localhost/nobody:9"}""");
        await EnvironmentAsync("packages", """{"image":"localhost/tiny:1","condaFile":"dependencies:\n- numpy\n"}""");
        await EnvironmentAsync("odd", """{"image":"--privileged"}""");
        await PutAsync("no-image", "gone", "box", "true");
        await PutAsync("no-python", "packages", "box", "true");
        await PutAsync("no-name", "odd", "box", "true");

        Assert.Equal("ImageNotFound", await CodeAsync("no-image"));
        Assert.Equal("EnvironmentNotSatisfied", await CodeAsync("no-python"));
        Assert.Equal("InvalidImage", await CodeAsync("no-name"));
    }

    [Fact]
    public async Task A_build_context_is_built_once_and_run()
    {
        const string at = "azureml://datastores/workspaceblobstore/paths/ctx/";
        var place = (await store.Host.Get<IUriResolver>().ResolveAsync(arm.Main, at + "Dockerfile", CancellationToken.None)).Value.Blob!;
        using var dockerfile = new MemoryStream("FROM localhost/tiny:1\nENV BUILT=yes\nRUN echo from-context >/by-context\n"u8.ToArray());
        Assert.True((await store.Host.Get<IBlobStore>().PutAsync(new BlobAddress(place.Account, place.Container, place.Path), dockerfile, new BlobWrite(), CancellationToken.None)).Succeeded);
        await EnvironmentAsync("context", new JsonObject { ["build"] = new JsonObject { ["contextUri"] = at } }.ToJsonString());
        await PutAsync("context-1", "context", "box", "cat /by-context; echo built $BUILT");
        await PutAsync("context-2", "context", "box", "cat /by-context");
        (await jobs.PutAsync("context-3", $$"""{"command":"true","computeId":"{{arm.Main.Id}}/computes/cpu-cluster","environmentId":"{{arm.Main.Id}}/environments/context/versions/1"}""")).Fails(HttpStatusCode.BadRequest);

        var (_, log) = await jobs.EndAsync("context-1");
        Assert.Contains("from-context", log, StringComparison.Ordinal);
        Assert.Contains("built yes", log, StringComparison.Ordinal);
        Assert.Contains("from-context", (await jobs.EndAsync("context-2")).Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repetition_runs_in_the_image_of_then_or_says_that_it_is_gone()
    {
        await store.ImportAsync("localhost/moving:1", "WHICH=old");
        await EnvironmentAsync("moving", """{"image":"localhost/moving:1"}""");
        await PutAsync("image-old", "moving", "box", "echo $WHICH");
        Assert.Equal("old\n", (await jobs.EndAsync("image-old")).Log);
        await store.ImportAsync("localhost/moving:1", "WHICH=new");
        await PutAsync("image-new", "moving", "box", "echo $WHICH");
        Assert.Equal("new\n", (await jobs.EndAsync("image-new")).Log);
        var (old, now) = (await ImageOfAsync("image-old"), await ImageOfAsync("image-new"));
        var difference = Assert.Single((await arm.GetAsync($"/zaffre/v1{arm.Main.Id}/jobs/image-old/diff?with=image-new")).Ok()["differences"]!.AsArray())!.AsObject();
        Assert.Equal(("image digest", old, now), (difference.At("what"), difference.At("left"), difference.At("right")));

        // As it lies unpacked; then from podman, which still has it without a name; then from nobody.
        Assert.Equal("old\n", await RerunAsync("image-old", "image-again"));
        var unpacked = Path.Combine(store.Host.Root, "images", old["sha256:".Length..][..24], "image.json");
        File.Delete(unpacked);
        Assert.Equal("old\n", await RerunAsync("image-old", "image-third"));
        File.Delete(unpacked);
        await store.PodmanAsync("rmi", old["sha256:".Length..]);
        await RerunAsync("image-old", "image-gone");
        var (gone, _) = await jobs.EndAsync("image-gone");
        Assert.Equal("EnvironmentNotSatisfied", await CodeAsync("image-gone"));
        Assert.Contains($"image localhost/moving:1 {old} is wanted, {now} was found", gone["properties"]!["properties"]!["zaffre.error.message"]!.ToString(), StringComparison.Ordinal);
    }

    private async Task<string> ImageOfAsync(string job) => (await arm.GetAsync($"/zaffre/v1{arm.Main.Id}/jobs/{job}/lock")).Ok().At("environment.image");

    private async Task<string> RerunAsync(string job, string again)
    {
        (await arm.PostAsync($"/zaffre/v1{arm.Main.Id}/jobs/{job}/rerun", $$"""{"name":"{{again}}"}""")).Ok();
        return (await jobs.EndAsync(again)).Log;
    }

    private async Task<string> CodeAsync(string job) => (await jobs.EndAsync(job)).Job["properties"]!["properties"]!["zaffre.error.code"]!.ToString();

    private async Task EnvironmentAsync(string name, string properties)
    {
        (await arm.PutAsync("~/computes/box", """{"location":"local","properties":{"computeType":"AmlCompute","properties":{"vmSize":"box","scaleSettings":{"maxNodeCount":4,"minNodeCount":0}}}}""")).Ok();
        (await arm.PutAsync($"~/environments/{name}/versions/1", $$"""{"properties":{{properties}}}""")).Ok();
    }

    private async Task PutAsync(string job, string environment, string compute, string command, string more = "{}")
    {
        var all = (JsonObject)JsonNode.Parse(more)!;
        all["command"] = command;
        all["computeId"] = $"{arm.Main.Id}/computes/{compute}";
        all["environmentId"] = $"{arm.Main.Id}/environments/{environment}/versions/1";
        var (status, body) = await jobs.PutAsync(job, all.ToJsonString());
        Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Created, body.ToJsonString());
    }
}

/// <summary>A server whose operator runs containers on the compute <c>box</c>, and podman with a store of its own that has the image <c>localhost/tiny:1</c>.</summary>
public sealed class PodmanStore : IAsyncLifetime
{
    private static readonly string[] Programs = ["/bin/dash", "/bin/cat", "/bin/sleep", "/usr/bin/id", "/bin/sh"];

    private string Folder { get; } = Directory.CreateTempSubdirectory("zaffre-podman-").FullName;

    public ZaffreHost Host { get; } = new();

    private string[] Arguments => ["--root", Path.Combine(Folder, "store"), "--runroot", Path.Combine(Folder, "run"), "--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=file"];

    public async Task InitializeAsync()
    {
        var root = Directory.CreateDirectory(Path.Combine(Folder, "rootfs")).FullName;
        await RunAsync("/bin/sh", "-ec", $"""
            cd '{root}'; mkdir -p bin etc tmp
            for program in {string.Join(' ', Programs)}; do
              cp -L $program bin/
              ldd $program | grep -o '/lib[^ ]*' | while read -r library; do mkdir -p ".$(dirname $library)"; cp -L $library ".$library"; done
            done
            echo 'this is the image' >made-by-image; mv made-by-image etc/; ln -s etc/made-by-image made-by-image
            tar -cf ../rootfs.tar .
            """);
        await ImportAsync("localhost/tiny:1", "FROM_IMAGE=image");
        await File.WriteAllTextAsync(Path.Combine(Host.Root, "compute.yml"), $"""
            sizes:
            - name: box
              cores: 1
              memory_gb: 2
            containers:
              use: always
              computes: [box]
              engine: podman
              arguments: [{string.Join(", ", Arguments)}]
              build: true
              build_arguments: [--isolation, chroot, --network, host]
            """);
        await Host.InitializeAsync();
    }

    /// <summary>Makes an image of the root file system, with that variable.</summary>
    public Task ImportAsync(string name, string variable) => PodmanAsync("import", "--change", "ENV=" + variable, Path.Combine(Folder, "rootfs.tar"), name);

    public Task PodmanAsync(params string[] arguments) => RunAsync("podman", [.. Arguments, .. arguments]);

    public async Task DisposeAsync()
    {
        await Host.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, error);
    }
}
