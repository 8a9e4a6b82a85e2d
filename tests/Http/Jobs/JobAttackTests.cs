using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Identity;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Jobs that reach for more than theirs, and strangers who reach for jobs.</summary>
public sealed class JobAttackTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    private JobClient Jobs => pipelines.Jobs;

    [Fact]
    public async Task Whoever_may_not_read_jobs_cannot_tell_which_exist()
    {
        (await Jobs.PutAsync("secret", """{"command":"true"}""")).Ok();
        await Jobs.EndAsync("secret");
        using var stranger = await host.PrincipalAsync(role: null);
        var workspace = Arm.Main.Id;
        string[] paths =
        [
            $"{workspace}/jobs/NAME?api-version=2024-10-01", $"/zaffre/v1{workspace}/jobs/NAME/logs", $"/history/v1.0{workspace}/runs/NAME", $"/history/v1.0{workspace}/runs/NAME/children",
            $"/history/v1.0{workspace}/runs/NAME/details", $"/mlflow/v2.0{workspace}/api/2.0/mlflow/runs/get?run_id=NAME", $"/zaffre/v1{workspace}/jobs/NAME/why", $"/zaffre/v1{workspace}/jobs/NAME/usage",
            $"/zaffre/v1{workspace}/jobs/NAME/outputs", $"/zaffre/v1{workspace}/jobs/NAME/diff?with=NAME", $"/zaffre/v1{workspace}/jobs/NAME/diff?with=secret",
        ];
        foreach (var path in paths)
        {
            using var there = await stranger.GetAsync(new Uri(path.Replace("NAME", "secret", StringComparison.Ordinal), UriKind.Relative));
            using var gone = await stranger.GetAsync(new Uri(path.Replace("NAME", "nothing", StringComparison.Ordinal), UriKind.Relative));
            Assert.True((int)there.StatusCode is 400 or 403 or 404, $"{path}: {there.StatusCode}");
            Assert.Equal((path, there.StatusCode), (path, gone.StatusCode));
            Assert.Equal(Without(await there.Content.ReadAsStringAsync(), "secret"), Without(await gone.Content.ReadAsStringAsync(), "nothing"));
        }

        foreach (var name in (string[])["secret", "nothing"])
        {
            using var rerun = await stranger.PostAsync(new Uri($"/zaffre/v1{workspace}/jobs/{name}/rerun", UriKind.Relative), null);
            Assert.Equal(HttpStatusCode.Forbidden, rerun.StatusCode);
            using var cancel = await stranger.PostAsync(new Uri($"{workspace}/jobs/{name}/cancel?api-version=2024-10-01", UriKind.Relative), null);
            Assert.Equal(HttpStatusCode.Forbidden, cancel.StatusCode);
            using var delete = await stranger.DeleteAsync(new Uri($"{workspace}/jobs/{name}?api-version=2024-10-01", UriKind.Relative));
            Assert.Equal(HttpStatusCode.Forbidden, delete.StatusCode);
        }

        // Reading is not enough for ending and deleting.
        using var reader = await host.PrincipalAsync("acdd72a7-3385-48ef-bd42-f606fba81ae7");
        using (var refused = await reader.PostAsync(new Uri($"{workspace}/jobs/secret/cancel?api-version=2024-10-01", UriKind.Relative), null))
        {
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }

        using (var refused = await reader.PostAsync(new Uri($"/zaffre/v1{workspace}/jobs/secret/rerun", UriKind.Relative), null))
        {
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }

        using var put = await reader.PutAsJsonAsync(new Uri($"{workspace}/jobs/mine?api-version=2024-10-01", UriKind.Relative), new { properties = new { jobType = "Command", command = "true" } });
        Assert.Equal(HttpStatusCode.Forbidden, put.StatusCode);
    }

    [Fact]
    public async Task Whoever_owns_one_workspace_reaches_no_job_of_another_by_any_name()
    {
        (await Jobs.PutAsync("mine", """{"command":"echo private"}""")).Ok();
        await Jobs.EndAsync("mine");
        var other = Arm.Main.Id.Value.Replace("/workspaces/main", "/workspaces/elsewhere", StringComparison.Ordinal);
        (await Arm.PutAsync(other, """{"location":"local","properties":{}}""")).Ok();
        var made = await host.Get<Zaffre.Identity.IPrincipals>().CreateAsync("neighbour", "test", default);
        var role = $$$"""{"properties":{"roleDefinitionId":"/subscriptions/{{{Arm.Main.SubscriptionId}}}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635","principalId":"{{{made.Principal.ObjectId}}}","principalType":"ServicePrincipal"}}""";
        using (var owner = await host.OwnerAsync())
        using (var body = new StringContent(role, System.Text.Encoding.UTF8, "application/json"))
        using (var assigned = await owner.PutAsync(new Uri($"{other}/providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}?api-version=2022-04-01", UriKind.Relative), body))
        {
            Assert.True(assigned.IsSuccessStatusCode, await assigned.Content.ReadAsStringAsync());
        }

        using var neighbour = host.With(await host.TokenAsync(made.Principal.ClientId, made.ClientSecret));
        string[] names = ["mine", "..%2F..%2Fmain%2Fjobs%2Fmine", "%2E%2E/%2E%2E/main/jobs/mine", "MAIN%2Fmine"];
        foreach (var path in (string[])["jobs/NAME/why", "jobs/NAME/usage", "jobs/NAME/outputs", "jobs/NAME/logs", "jobs/NAME/diff?with=NAME", "jobs/NAME/rerun"])
        {
            foreach (var name in names)
            {
                using var request = new HttpRequestMessage(path.EndsWith("rerun", StringComparison.Ordinal) ? HttpMethod.Post : HttpMethod.Get, new Uri($"/zaffre/v1{other}/{path.Replace("NAME", name, StringComparison.Ordinal)}", UriKind.Relative));
                using var answer = await neighbour.SendAsync(request);
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True((int)answer.StatusCode is 400 or 403 or 404 or 405, $"{request.RequestUri}: {answer.StatusCode} {text}");
                Assert.DoesNotContain("private", text, StringComparison.Ordinal);
            }
        }

        // Neither by what a job of theirs names.
        foreach (var properties in (string[])
        [
            $$$$"""{"command":"cat ${{inputs.x}}","inputs":{"x":{"jobInputType":"uri_folder","uri":"azureml:{{{{Arm.Main.Id}}}}/datastores/workspaceblobstore/paths/x"}}}""",
            $$$$"""{"command":"cat ${{inputs.x}}","inputs":{"x":{"jobInputType":"uri_folder","uri":"azureml://subscriptions/{{{{Arm.Main.SubscriptionId}}}}/resourcegroups/zaffre/workspaces/main/datastores/workspaceartifactstore/paths/ExperimentRun/dcid.mine/"}}}""",
            """{"command":"cat ${{inputs.x}}","inputs":{"x":{"jobInputType":"uri_folder","uri":"azureml://jobs/mine/outputs/artifacts/paths/user_logs"}}}""",
        ])
        {
            var all = JsonNode.Parse(properties)!.AsObject();
            (all["jobType"], all["environmentId"]) = ("Command", other + "/environments/plain/versions/1");
            using (var environment = await neighbour.PutAsJsonAsync(new Uri($"{other}/environments/plain/versions/1?api-version=2024-10-01", UriKind.Relative), new { properties = new { image = "debian" } }))
            {
                Assert.True(environment.IsSuccessStatusCode);
            }

            var name = "peeks" + Guid.NewGuid().ToString("N")[..8];
            using var put = await neighbour.PutAsJsonAsync(new Uri($"{other}/jobs/{name}?api-version=2024-10-01", UriKind.Relative), new JsonObject { ["properties"] = all });
            if (!put.IsSuccessStatusCode)
            {
                Assert.InRange((int)put.StatusCode, 400, 404);
                continue;
            }

            Assert.DoesNotContain("private", await neighbour.GetStringAsync(new Uri($"/zaffre/v1{other}/jobs/{name}/logs?follow=true", UriKind.Relative)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_token_of_a_step_writes_to_its_own_run_only_and_ends_with_the_step()
    {
        await pipelines.ComponentAsync("token_shows", """{"command":"echo $AZUREML_RUN_TOKEN; sleep 100"}""");
        (await pipelines.PutAsync("tokens", """{"jobs":{"one":{"type":"command","componentId":"@token_shows"},"two":{"type":"command","componentId":"@token_shows"}}}""")).Ok();
        await Jobs.StatusAsync("tokens_two", "Running");
        var token = await FirstLineAsync("tokens_one");
        using var step = host.With(token);
        Assert.Equal(HttpStatusCode.OK, await MetricAsync(step, "tokens_one"));
        Assert.Equal(HttpStatusCode.Forbidden, await MetricAsync(step, "tokens_two"));
        Assert.Equal(HttpStatusCode.Forbidden, await MetricAsync(step, "tokens"));
        foreach (var path in (string[])[$"{Arm.Main.Id}/listKeys", $"{Arm.Main.Id}/datastores/workspaceblobstore/listSecrets"])
        {
            using var keys = await step.PostAsync(new Uri(path + "?api-version=2024-10-01", UriKind.Relative), null);
            Assert.True(path.Contains("datastores", StringComparison.Ordinal) || keys.StatusCode == HttpStatusCode.Forbidden, $"{path}: {keys.StatusCode}");
        }

        using (var roles = await step.GetAsync(new Uri($"/subscriptions/{Arm.Main.SubscriptionId}/resourceGroups/other?api-version=2022-09-01", UriKind.Relative)))
        {
            Assert.True((int)roles.StatusCode is 403 or 404, $"{roles.StatusCode}");
        }

        await Jobs.CancelAsync("tokens");
        await Jobs.EndAsync("tokens");
        Assert.Equal(HttpStatusCode.Unauthorized, await MetricAsync(step, "tokens_one"));
    }

    [Fact]
    public async Task What_a_job_prints_is_never_taken_for_an_event_of_its_log()
    {
        (await Jobs.PutAsync("forger", """{"command":"printf 'a\\n\\nevent: status\\ndata: {\"status\":\"Completed\"}\\n\\nid: 99999\\r\\rdata: x\\r\\n\\r\\nevent: log\\n'; exit 7"}""")).Ok();
        await Jobs.EndAsync("forger");
        var events = (await Jobs.EventsAsync("forger", null)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events, text => Assert.True(text.StartsWith("event: log\nid: ", StringComparison.Ordinal) || text.StartsWith("event: status\ndata: ", StringComparison.Ordinal), text));
        var statuses = events.Where(text => text.StartsWith("event: status", StringComparison.Ordinal)).Select(text => JsonNode.Parse(text[(text.IndexOf("data: ", StringComparison.Ordinal) + 6)..])!["status"]!.ToString());
        Assert.Equal(["Failed"], statuses);
        Assert.DoesNotContain(events, text => text.Contains('\r', StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_failing_step_prints_stays_one_line_in_the_log_of_its_pipeline()
    {
        await pipelines.ComponentAsync("prints_bad", """{"command":"printf 'Error: x\\r[2030-01-01T00:00:00.000Z] The pipeline prints completed.\\x1b[2J\\n' >&2; exit 1"}""");
        (await pipelines.PutAsync("prints", """{"jobs":{"a":{"type":"command","componentId":"@prints_bad"}}}""")).Ok();
        var (_, log) = await Jobs.EndAsync("prints");
        Assert.All(log.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.False(line.StartsWith("[2030", StringComparison.Ordinal), log));
        Assert.DoesNotContain(log, letter => letter is '\r' or '\x1b');
    }

    /// <summary>Conda files made to run without end, or out of stack.</summary>
    [Theory]
    [InlineData("&a [*a]")]
    [InlineData("&a {? *a : 1}")]
    [InlineData("dependencies: &d [python, {pip: *d}]")]
    [InlineData("LAUGHS")]
    [InlineData("KEYS")]
    [InlineData("DEEP")]
    public async Task Environments_made_to_exhaust_the_reader_fail_the_job_and_nothing_else(string conda)
    {
        var laughs = string.Concat(Enumerable.Range(0, 30).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat(i == 0 ? "lol" : $"*a{i - 1}", 10))}]\n"));
        var text = conda switch
        {
            "LAUGHS" => laughs + "dependencies: *a29\n",
            "KEYS" => laughs + "? *a29\n: x\n",
            "DEEP" => new string('[', 100_000),
            _ => conda,
        };
        var name = "exhausts" + conda.Length;
        var made = await Arm.PutAsync($"~/environments/{name}/versions/1", new JsonObject { ["properties"] = new JsonObject { ["image"] = "debian", ["condaFile"] = text } }.ToJsonString());
        if (made.Status == HttpStatusCode.BadRequest)
        {
            return;
        }

        made.Ok();
        (await Jobs.PutAsync("in-" + name, $$$$$$$$$"""{"command":"true","environmentId":"{{{{{{{{{Arm.Main.Id}}}}}}}}}/environments/{{{{{{{{{name}}}}}}}}}/versions/1"}""")).Ok();
        Assert.Contains((await Jobs.EndAsync("in-" + name)).Job.At("properties.status"), (string[])["Failed", "Completed"]);
    }

    private static string Without(string body, string name)
    {
        // Ids and times of the request differ: whatever holds a digit is left out.
        var text = body.Replace(name, "NAME", StringComparison.Ordinal);
        return string.Join(' ', text.Split('"', ' ', '\'', '/').Where(word => !word.Any(char.IsAsciiDigit)));
    }

    private async Task<string> FirstLineAsync(string job)
    {
        using var client = host.With(await Tokens.OwnerAsync(host));
        await using var stream = await client.GetStreamAsync(new Uri($"/zaffre/v1{Arm.Main.Id}/jobs/{job}/logs?follow=true", UriKind.Relative));
        using var reader = new StreamReader(stream);
        return (await reader.ReadLineAsync())!;
    }

    private static async Task<HttpStatusCode> MetricAsync(HttpClient client, string run)
    {
        using var answer = await client.PostAsJsonAsync(new Uri("/api/2.0/mlflow/runs/log-metric", UriKind.Relative), new { run_id = run, key = "m", value = 1, timestamp = 1 });
        return answer.StatusCode;
    }
}
