using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Tests.Http.Compute;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Jobs are repeated with the packages of then, whatever there is by now. Packages are wheels of the tests' own.</summary>
public sealed class LockTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Says = "python -c 'import zaffre_held, zaffre_below; print(zaffre_held.VERSION, zaffre_below.VERSION)'; echo seed $ZAFFRE_SEED $PYTHONHASHSEED";

    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    private JobClient Jobs => pipelines.Jobs;

    [Fact]
    public async Task A_repetition_has_the_packages_of_then_or_says_which_are_gone()
    {
        Offer("1.0");
        await EnvironmentAsync("held", "zaffre-held>=1");
        var first = await RunAsync("lock_first");
        Assert.StartsWith("1.0 1.0\nseed ", first, StringComparison.Ordinal);
        await PipelineOfThenAsync();
        var then = await LockAsync("lock_first");
        Assert.Equal("""{"zaffre-below":"1.0","zaffre-held":"1.0"}""", then["environment"]!["packages"]!.ToJsonString());
        Assert.Equal(("VirtualEnvironment", first.Split(' ')[^1].Trim()), (then.At("environment.kind"), then.At("seed")));

        // Another version is there: who submits anew gets it, who repeats does not.
        Offer("1.1");
        await DropAsync();
        Assert.StartsWith("1.1 1.1\n", await RunAsync("lock_second"), StringComparison.Ordinal);
        Assert.Equal(
            ["environment package zaffre-below: 1.0 | 1.1", "environment package zaffre-held: 1.0 | 1.1"],
            await DiffAsync("lock_first", "lock_second"));
        Assert.Equal(first, await RerunAsync("lock_first", "lock_again"));
        Assert.Empty(await DiffAsync("lock_first", "lock_again"));
        Assert.Equal((then.At("environment.digest"), then.At("environment.digest")), ((await LockAsync("lock_again")).At("heldTo"), (await LockAsync("lock_again")).At("environment.digest")));
        Assert.StartsWith("1.1 1.1\n", await RerunAsync("lock_first", "lock_now", "now"), StringComparison.Ordinal);
        await PipelineOfNowAsync(then);

        // The version of then is gone, from the wheels and from what was built.
        Wheels.Remove(host.Root, "zaffre_held", "1.0");
        Wheels.Remove(host.Root, "zaffre_below", "1.0");
        await DropAsync();
        (await Arm.PostAsync($"/zaffre/v1{Arm.Main.Id}/jobs/lock_again/rerun", """{"name":"lock_gone"}""")).Ok();
        var (gone, log) = await Jobs.EndAsync("lock_gone");
        Assert.Equal(("Failed", "EnvironmentNotSatisfied", ""), (gone.At("properties.status"), gone["properties"]!["properties"]!["zaffre.error.code"]!.ToString(), log));
        var message = gone["properties"]!["properties"]!["zaffre.error.message"]!.ToString();
        Assert.All(new[] { "zaffre-held 1.0 is wanted, 1.1 was found", "zaffre-below 1.0 is wanted, 1.1 was found", "--environment-as-now" }, said => Assert.Contains(said, message, StringComparison.Ordinal));

        // It never began, and is still held to what it was to have.
        var held = await LockAsync("lock_gone");
        Assert.Null(held["environment"]);
        Assert.Equal(then.At("environment.digest"), held.At("heldTo"));
        Offer("1.0");
        await DropAsync();
        Assert.Equal(first, await RerunAsync("lock_gone", "lock_back"));
    }

    [Fact]
    public async Task A_job_that_began_right_before_a_crash_still_has_its_lock()
    {
        await Jobs.PutAsync("lock_crash", """{"command":"echo begun; sleep 100"}""");
        await Jobs.StatusAsync("lock_crash", "Running");
        var before = await LockAsync("lock_crash");
        Assert.NotNull(before["environment"]);

        // As the server leaves it that dies between the start of the task and the commit that says so.
        await host.Get<IDatabase>().WriteAsync(
            scope => scope.Execute("UPDATE jobs SET status = 'Queued', started = NULL, environment_lock = NULL WHERE key = @key", new { key = Arm.Main.Child("jobs", "lock_crash").Key }), CancellationToken.None);
        await host.RestartAsync();
        await Jobs.StatusAsync("lock_crash", "Running");

        Assert.Equal(before.ToJsonString(), (await LockAsync("lock_crash")).ToJsonString());
        (await Jobs.CancelAsync("lock_crash")).Dispose();
        await Jobs.EndAsync("lock_crash");
    }

    [Fact]
    public async Task A_seed_is_the_jobs_own_unless_it_or_its_environment_has_one()
    {
        await Jobs.PutAsync("seed_own", """{"command":"echo $PYTHONHASHSEED","environmentVariables":{"PYTHONHASHSEED":"7"}}""");
        Assert.Equal("7\n", (await Jobs.EndAsync("seed_own")).Log);
        (await Arm.PutAsync("~/environments/seeded/versions/1", """{"properties":{"image":"debian","environmentVariables":{"ZAFFRE_SEED":"8"}}}""")).Ok();
        await Jobs.PutAsync("seed_environment", $$"""{"command":"echo $ZAFFRE_SEED","environmentId":"{{Arm.Main.Id}}/environments/seeded/versions/1"}""");
        Assert.Equal("8\n", (await Jobs.EndAsync("seed_environment")).Log);

        const string order = "python -c 'print(list({str(i) for i in range(50)}))'; echo $ZAFFRE_SEED";
        await Jobs.PutAsync("seed_a", new JsonObject { ["command"] = order }.ToJsonString());
        await Jobs.PutAsync("seed_b", new JsonObject { ["command"] = order }.ToJsonString());
        var (one, other) = ((await Jobs.EndAsync("seed_a")).Log, (await Jobs.EndAsync("seed_b")).Log);
        Assert.NotEqual(one, other);
        Assert.Equal(one, await RerunAsync("seed_a", "seed_again"));
        Assert.Equal(one, await RerunAsync("seed_again", "seed_third"));
    }

    [Fact]
    public async Task What_is_asked_of_a_lock_wrongly_is_told()
    {
        await Jobs.PutAsync("lock_plain", """{"command":"true"}""");
        await Jobs.EndAsync("lock_plain");
        Assert.Equal(["environment"], (await Arm.PostAsync($"/zaffre/v1{Arm.Main.Id}/jobs/lock_plain/rerun", """{"environment":"later"}""")).Targets());
        Assert.Equal("ResourceNotFound", (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/nobody/lock")).Fails(HttpStatusCode.NotFound));
        using var stranger = await host.PrincipalAsync(role: null);
        Assert.Equal(HttpStatusCode.Forbidden, (await stranger.GetAsync(new Uri($"/zaffre/v1{Arm.Main.Id}/jobs/lock_plain/lock", UriKind.Relative))).StatusCode);
    }

    /// <summary>A pipeline, and one whose step is reused.</summary>
    private async Task PipelineOfThenAsync()
    {
        await pipelines.ComponentAsync("lock_step", new JsonObject { ["command"] = Says, ["environment"] = $"azureml:{Arm.Main.Id}/environments/held/versions/1" }.ToJsonString());
        foreach (var name in new[] { "lock_pipe", "lock_reused" })
        {
            (await pipelines.PutAsync(name, """{"settings":{"default_compute":"serverless"},"jobs":{"one":{"componentId":"@lock_step"},"two":{"componentId":"@lock_step","environment_variables":{"OTHER":"x"}}}}""")).Ok();
            await Jobs.EndAsync(name);
        }

        await pipelines.ComponentAsync("lock_body", new JsonObject { ["command"] = Says + "; echo ${{inputs.n}}", ["environment"] = $"azureml:{Arm.Main.Id}/environments/held/versions/1", ["inputs"] = new JsonObject { ["n"] = new JsonObject { ["type"] = "integer" } } }.ToJsonString());
        (await pipelines.PutAsync("lock_loop", """
            {"settings":{"default_compute":"serverless"},
             "jobs":{"body":{"componentId":"@lock_body"},"each":{"type":"parallel_for","body":"${{parent.jobs.body}}","items":"[{\"n\": 1}, {\"n\": 2}]"}}}
            """)).Ok();
        await Jobs.EndAsync("lock_loop");
    }

    private async Task PipelineOfNowAsync(JsonObject then)
    {
        var seeds = (await LockAsync("lock_pipe"))["steps"]!.AsArray().ToDictionary(step => step!["step"]!.ToString(), step => step!["seed"]!.ToString());
        Assert.NotEqual(seeds["one"], seeds["two"]);
        foreach (var (name, again) in new[] { ("lock_pipe", "lock_pipe_b"), ("lock_reused", "lock_reused_b"), ("lock_loop", "lock_loop_b") })
        {
            (await Arm.PostAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{name}/rerun", $$"""{"name":"{{again}}"}""")).Ok();
            await Jobs.EndAsync(again);
            var steps = (await LockAsync(again))["steps"]!.AsArray();
            Assert.All(steps, step => Assert.Equal(then.At("environment.digest"), step!["environment"]!.ToString()));
            Assert.Equal(2, steps.Count);
        }

        Assert.Equal($"1.0 1.0\nseed {seeds["two"]} {seeds["two"]}\n", (await Jobs.EndAsync("lock_pipe_b_two")).Log);
        var (one, two) = ((await Jobs.EndAsync("lock_loop_each_1")).Log, (await Jobs.EndAsync("lock_loop_each_2")).Log);
        Assert.Equal((one, two), ((await Jobs.EndAsync("lock_loop_b_each_1")).Log, (await Jobs.EndAsync("lock_loop_b_each_2")).Log));
        Assert.NotEqual(one.Split('\n')[1], two.Split('\n')[1]);
        Assert.Equal($"1.0 1.0\nseed {seeds["two"]} {seeds["two"]}\n", await RerunAsync("lock_pipe_two", "lock_step_again"));
        Assert.Equal(then.At("environment.digest"), (await LockAsync("lock_step_again")).At("environment.digest"));
    }

    private void Offer(string version)
    {
        Wheels.Add(host.Root, "zaffre_below", version, $"VERSION = '{version}'\n");
        Wheels.Add(host.Root, "zaffre_held", version, $"VERSION = '{version}'\n", "zaffre-below>=1");
    }

    private async Task EnvironmentAsync(string name, string package) => (await Arm.PutAsync(
        $"~/environments/{name}/versions/1", new JsonObject { ["properties"] = new JsonObject { ["image"] = "debian", ["condaFile"] = $"dependencies:\n- python\n- pip:\n  - --no-index\n  - {package}\n" } }.ToJsonString())).Ok();

    private async Task<string> RunAsync(string name)
    {
        (await Jobs.PutAsync(name, new JsonObject { ["command"] = Says, ["environmentId"] = $"{Arm.Main.Id}/environments/held/versions/1" }.ToJsonString())).Ok();
        var (job, log) = await Jobs.EndAsync(name);
        Assert.True(job.At("properties.status") == "Completed", job.ToJsonString());
        return log;
    }

    private async Task<string> RerunAsync(string name, string again, string environment = "locked")
    {
        (await Arm.PostAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{name}/rerun", $$"""{"name":"{{again}}","environment":"{{environment}}"}""")).Ok();
        var (job, log) = await Jobs.EndAsync(again);
        Assert.True(job.At("properties.status") == "Completed", job.ToJsonString());
        return log;
    }

    private async Task<JsonObject> LockAsync(string name) => (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{name}/lock")).Ok();

    private async Task<string[]> DiffAsync(string left, string right) =>
        [.. (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{left}/diff?with={right}")).Ok()["differences"]!.AsArray().Select(row => $"{row!["aspect"]} {row["what"]}: {row["left"]} | {row["right"]}")];

    /// <summary>Removes everything that was built, as an operator would after long disuse. What the folder of an ended task still names goes once that is removed.</summary>
    private async Task DropAsync()
    {
        var environments = Path.Combine(host.Root, "environments");
        for (var round = 0; ; round++)
        {
            foreach (var built in Directory.GetDirectories(environments))
            {
                await File.WriteAllBytesAsync(Path.Combine(built, "used"), []);
                File.SetLastWriteTimeUtc(Path.Combine(built, "used"), DateTime.UtcNow.AddDays(-40));
            }

            (await Arm.PostAsync("/zaffre/v1/environments/prune?unusedDays=30")).Ok();
            if ((await Arm.GetAsync("/zaffre/v1/environments")).Ok()["value"]!.AsArray().Count == 0)
            {
                return;
            }

            Assert.True(round < 200, "what was built is still in use");
            await Task.Delay(50);
        }
    }
}
