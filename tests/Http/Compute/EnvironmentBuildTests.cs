using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Identity;
using Zaffre.Tests.Http.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Compute;

/// <summary>Environments built ahead of jobs, over REST; packages come from wheels that the tests write.</summary>
public sealed class EnvironmentBuildTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);
    private readonly JobClient jobs = new(host);

    [Fact]
    public async Task An_environment_is_built_polled_read_listed_and_removed()
    {
        Wheel("zaffre_first", "1.0", "");
        await RegisterAsync("first", "zaffre-first");
        Assert.Equal("NotBuilt", await StateAsync("first"));

        var (answer, operation) = await BuildAsync("first");
        var key = answer.At("key");
        var log = await LogAsync(key, follow: true);
        Assert.Equal("Succeeded", (await EndAsync(operation)).At("status"));

        Assert.Equal("Succeeded", await StateAsync("first"));
        Assert.Contains("zaffre-first", log + await LogAsync(key, follow: false), StringComparison.Ordinal);
        var version = (await arm.GetAsync("~/environments/first/versions/1")).Ok();
        Assert.Equal(("Succeeded", key), (version["properties"]!["properties"]!["zaffre.environment.state"]!.ToString(), version["properties"]!["properties"]!["zaffre.environment.key"]!.ToString()));
        (await arm.PutAsync("~/environments/first/versions/1", version.ToJsonString())).Ok();

        var listed = (await arm.GetAsync("/zaffre/v1/environments")).Ok()["value"]!.AsArray().Single(e => e!["key"]!.ToString() == key)!.AsObject();
        Assert.Equal(("Succeeded", "1.0"), (listed.At("state"), listed["packages"]!["zaffre-first"]!.ToString()));
        Assert.True((long)listed["bytes"]! > 1000);
        Assert.Equal("EnvironmentInUse", (await arm.DeleteAsync("/zaffre/v1/environments/" + key)).Fails(HttpStatusCode.Conflict));

        File.SetLastWriteTimeUtc(Path.Combine(host.Root, "environments", key, "used"), DateTime.UtcNow.AddDays(-40));
        Assert.Equal([key], (await arm.PostAsync("/zaffre/v1/environments/prune?unusedDays=30")).Ok()["removed"]!.AsArray().Select(k => k!.ToString()));
        Assert.Equal("NotBuilt", await StateAsync("first"));
        Assert.Equal("EnvironmentNotFound", (await arm.DeleteAsync("/zaffre/v1/environments/" + key)).Fails(HttpStatusCode.NotFound));
        (await arm.PostAsync("/zaffre/v1/environments/prune?unusedDays=soon")).Fails(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_build_that_fails_names_the_package_the_remedy_and_its_log_to_whoever_asks()
    {
        await RegisterAsync("broken", "zaffre-no-such-package==7.1");

        var (answer, operation) = await BuildAsync("broken");
        var ended = await EndAsync(operation);

        Assert.Equal(("Failed", "EnvironmentNotSatisfied"), (ended.At("status"), ended.At("error.code")));
        Assert.Contains("zaffre-no-such-package==7.1 (not installed)", ended.At("error.message"), StringComparison.Ordinal);
        Assert.Contains("PIP_INDEX_URL", ended.At("error.message"), StringComparison.Ordinal);
        Assert.Contains("--key " + answer.At("key"), ended.At("error.message"), StringComparison.Ordinal);
        Assert.Equal("Failed", await StateAsync("broken"));

        await jobs.PutAsync("needs-broken", $$"""{"command":"echo never","environmentId":"{{arm.Main.Id}}/environments/broken/versions/1"}""");
        var (job, _) = await jobs.EndAsync("needs-broken");
        Assert.Equal(("Failed", "EnvironmentNotSatisfied"), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString()));
        var logs = Directory.GetFiles(host.Root, "20_image_build_log.txt", SearchOption.AllDirectories).Where(path => path.Contains("needs-broken", StringComparison.Ordinal));
        Assert.Contains("zaffre-no-such-package", await File.ReadAllTextAsync(Assert.Single(logs)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_installs_what_it_needs_and_is_told_what_nobody_has()
    {
        Wheel("zaffre_extra", "1.0", "ANSWER = 5\n");
        await jobs.PutAsync("installs", """{"command":"echo zaffre-extra >requirements.txt && pip install -r requirements.txt && python -c 'import zaffre_extra; print(\"has\", zaffre_extra.ANSWER)'"}""");
        var (done, log) = await jobs.EndAsync("installs");
        Assert.True(done.At("properties.status") == "Completed", log);
        Assert.Contains("has 5", log, StringComparison.Ordinal);

        await jobs.PutAsync("lacks", """{"command":"PIP_NO_INDEX=1 pip install zaffre-nobody-has-this"}""");
        var (failed, _) = await jobs.EndAsync("lacks");
        var message = failed["properties"]!["properties"]!["zaffre.error.message"]!.ToString();
        Assert.Contains("pip has found no package 'zaffre-nobody-has-this'", message, StringComparison.Ordinal);
        Assert.Contains("'wheels'", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_needs_no_build_what_is_unknown_and_who_may_not_are_told_apart()
    {
        (await arm.PutAsync("~/environments/plain/versions/1", """{"properties":{"image":"debian"}}""")).Ok();
        var (answer, operation) = await BuildAsync("plain");
        Assert.Equal("NotNeeded", answer.At("state"));
        Assert.Equal("Succeeded", (await EndAsync(operation)).At("status"));
        Assert.Empty((await arm.GetAsync("~/environments/plain/versions/1")).Ok()["properties"]!["properties"]!.AsObject());

        Assert.Equal("NotNeeded", (await arm.GetAsync($"/zaffre/v1{arm.Main.Id}/environments/AzureML-minimal-py311/versions/3/build")).Ok().At("state"));
        (await arm.PostAsync($"/zaffre/v1{arm.Main.Id}/environments/nobody/versions/1/build")).Fails(HttpStatusCode.NotFound);
        (await arm.PostAsync($"/zaffre/v1{arm.Main.Id}/environments/plain/versions/1/build", """{"compute":"nowhere"}""")).Fails(HttpStatusCode.NotFound);
        (await arm.GetAsync($"/zaffre/v1{arm.Main.Id}/environments/builds/0123456789abcdef01234567/log")).Fails(HttpStatusCode.NotFound);
        using var reader = await host.PrincipalAsync("acdd72a7-3385-48ef-bd42-f606fba81ae7");
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.PostAsync(new Uri($"/zaffre/v1{arm.Main.Id}/environments/plain/versions/1/build", UriKind.Relative), null)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.GetAsync(new Uri("/zaffre/v1/environments", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task What_a_job_runs_in_is_not_removed()
    {
        Wheel("zaffre_used", "1.0", "");
        await RegisterAsync("used", "zaffre-used");
        await jobs.PutAsync("uses", $$"""{"command":"python -c 'import zaffre_used' && echo in && sleep 100","environmentId":"{{arm.Main.Id}}/environments/used/versions/1"}""");
        await jobs.StatusAsync("uses", "Running");
        var key = (await arm.GetAsync($"/zaffre/v1{arm.Main.Id}/environments/used/versions/1/build")).Ok().At("key");
        File.SetLastWriteTimeUtc(Path.Combine(host.Root, "environments", key, "used"), DateTime.UtcNow.AddDays(-40));

        Assert.Equal("EnvironmentInUse", (await arm.DeleteAsync("/zaffre/v1/environments/" + key)).Fails(HttpStatusCode.Conflict));
        (await jobs.CancelAsync("uses")).Dispose();
        await jobs.EndAsync("uses");
        Assert.Equal(HttpStatusCode.NoContent, (await arm.DeleteAsync("/zaffre/v1/environments/" + key)).Status);
    }

    [Fact]
    public async Task A_request_that_a_killed_server_left_is_built_by_the_next_one()
    {
        var next = new ZaffreHost();
        Wheels.Add(next.Root, "zaffre_left", "1.0", "");
        await File.WriteAllTextAsync(Path.Combine(next.Root, "curated-environments.yml"), "- names: [AzureML-left]\n  packages: [zaffre-left]\n");
        var requested = Directory.CreateDirectory(Path.Combine(next.Root, "environments", "requested")).FullName;
        await File.WriteAllTextAsync(Path.Combine(requested, "left.json"), """{"subscription":"s","group":"zaffre","workspace":"main","environment":"AzureML-left:1"}""");

        await next.InitializeAsync();
        try
        {
            for (var round = 0; File.Exists(Path.Combine(requested, "left.json")); round++)
            {
                Assert.True(round < 1200, "the request was not taken up");
                await Task.Delay(50);
            }

            Assert.Single(Directory.GetFiles(Path.Combine(next.Root, "environments"), "built.json", SearchOption.AllDirectories));
        }
        finally
        {
            await next.DisposeAsync();
        }
    }

    private async Task RegisterAsync(string name, string package) => (await arm.PutAsync(
        $"~/environments/{name}/versions/1", new JsonObject { ["properties"] = new JsonObject { ["image"] = "debian", ["condaFile"] = $"dependencies:\n- python\n- pip:\n  - --no-index\n  - {package}\n" } }.ToJsonString())).Ok();

    private async Task<string> StateAsync(string name) => (await arm.GetAsync($"/zaffre/v1{arm.Main.Id}/environments/{name}/versions/1/build")).Ok().At("state");

    private async Task<(JsonObject Answer, string Operation)> BuildAsync(string name)
    {
        using var client = host.With(await Tokens.OwnerAsync(host));
        using var answer = await client.PostAsync(new Uri($"/zaffre/v1{arm.Main.Id}/environments/{name}/versions/latest/build", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return ((JsonObject)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!, new Uri(answer.Headers.GetValues("Azure-AsyncOperation").Single()).PathAndQuery);
    }

    private async Task<JsonObject> EndAsync(string operation)
    {
        for (var round = 0; ; round++)
        {
            using var client = host.With(await Tokens.OwnerAsync(host));
            var answer = (JsonObject)JsonNode.Parse(await client.GetStringAsync(new Uri(operation, UriKind.Relative)))!;
            if (answer.At("status") != "InProgress")
            {
                return answer;
            }

            Assert.True(round < 600, "the build did not end");
            await Task.Delay(100);
        }
    }

    private async Task<string> LogAsync(string key, bool follow)
    {
        using var client = host.With(await Tokens.OwnerAsync(host));
        using var answer = await client.GetAsync(new Uri($"/zaffre/v1{arm.Main.Id}/environments/builds/{key}/log?follow={(follow ? "true" : "false")}", UriKind.Relative));
        return answer.StatusCode == HttpStatusCode.NotFound ? "" : await answer.Content.ReadAsStringAsync();
    }

    private void Wheel(string module, string version, string code) => Wheels.Add(host.Root, module, version, code);
}
