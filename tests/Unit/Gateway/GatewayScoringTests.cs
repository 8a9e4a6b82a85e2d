using System.Net;
using Zaffre.Gateway;

namespace Zaffre.Tests.Unit.Gateway;

[Collection(Alone.Name)]
public sealed class GatewayScoringTests
{
    private const string Script = """
        import json, os, time
        def init():
            print("loaded")
        def run(raw):
            d = json.loads(raw)
            if "sleep" in d: time.sleep(d["sleep"])
            if "gate" in d:
                open(d["gate"] + ".entered", "w").close()
                while not os.path.exists(d["gate"]): time.sleep(0.01)
            if "raise" in d: raise ValueError(d["raise"])
            if "die" in d: os.kill(os.getpid(), 9)
            if "size" in d: return "x" * d["size"]
            return {"pid": os.getpid(), "got": d}
        """;

    private static Dictionary<string, int> All(string deployment) => new(StringComparer.Ordinal) { [deployment] = 100 };

    [Fact]
    public async Task A_request_with_the_key_is_scored_and_carries_the_headers_of_the_inference_server()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { Workers = [await rig.StartWorkerAsync(Script)] });
        var (status, body, answer) = await rig.PostAsync("iris/score", """{"a":1}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("\"got\": {\"a\": 1}", body, StringComparison.Ordinal);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal("blue", Assert.Single(answer.Headers.GetValues("azureml-model-deployment")));
        Assert.Equal("False", Assert.Single(answer.Headers.GetValues("x-ms-run-function-failed")));
        Assert.Equal(answer.Headers.GetValues("x-request-id"), answer.Headers.GetValues("x-ms-request-id"));
        Assert.True(double.Parse(Assert.Single(answer.Headers.GetValues("x-ms-run-fn-exec-ms"))) > 0);
    }

    [Fact]
    public async Task Wrong_credentials_endpoints_routes_and_sizes_are_refused_by_name()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        var worker = await rig.StartWorkerAsync(Script);
        await rig.PushAsync("iris", [], new DeploymentRoute("blue") { MaxBodyBytes = 100, Workers = [worker] });
        Assert.Equal(HttpStatusCode.Unauthorized, (await rig.PostAsync("iris/score", "{}", key: null)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await rig.PostAsync("iris/score", "{}", key: "another")).Status);
        var missing = await rig.PostAsync("nothing/score", "{}");
        Assert.Equal((HttpStatusCode.NotFound, true), (missing.Status, missing.Body.Contains("endpoint_not_found", StringComparison.Ordinal)));
        var idle = await rig.PostAsync("iris/score", "{}");
        Assert.Equal((HttpStatusCode.NotFound, true), (idle.Status, idle.Body.Contains("no_valid_deployment", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.NotFound, (await rig.PostAsync("iris/other", "{}")).Status);
        var named = ("azureml-model-deployment", "blue");
        Assert.Equal(HttpStatusCode.OK, (await rig.PostAsync("iris/score", "{}", ScoringRig.Key, named)).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await rig.PostAsync("iris/score", new string(' ', 101), ScoringRig.Key, named)).Status);
    }

    [Fact]
    public async Task An_unknown_deployment_in_the_header_counts_as_not_given()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { Workers = [await rig.StartWorkerAsync(Script)] });
        Assert.Equal(HttpStatusCode.OK, (await rig.PostAsync("iris/score", "{}", ScoringRig.Key, ("azureml-model-deployment", "of-another-endpoint"))).Status);
    }

    [Fact]
    public async Task A_run_that_raises_is_424_with_the_reason_and_its_traceback_in_the_log()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { Workers = [await rig.StartWorkerAsync(Script)] });
        var (status, body, answer) = await rig.PostAsync("iris/score", """{"raise":"no such species"}""");
        Assert.Equal(424, (int)status);
        Assert.Equal("500", Assert.Single(answer.Headers.GetValues("ms-azureml-model-error-statuscode")));
        Assert.Equal("True", Assert.Single(answer.Headers.GetValues("x-ms-run-function-failed")));
        Assert.DoesNotContain("species", body, StringComparison.Ordinal);
        await rig.LogHoldsAsync("ValueError: no such species");
    }

    [Fact]
    public async Task A_stuck_run_is_408_and_its_process_is_replaced_with_its_stack_in_the_log()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { RequestTimeoutMs = 400, Workers = [await rig.StartWorkerAsync(Script)] });
        var before = (await rig.PostAsync("iris/score", "{}")).Body;
        Assert.Equal(HttpStatusCode.RequestTimeout, (await rig.PostAsync("iris/score", """{"sleep":600}""")).Status);
        var after = await EventuallyAsync(() => rig.PostAsync("iris/score", "{}"));
        Assert.NotEqual(before, after);
        await rig.LogHoldsAsync("does not end; its threads were");
        await rig.LogHoldsAsync("in run");
    }

    [Fact]
    public async Task A_slow_run_that_ends_after_its_408_keeps_its_process()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { RequestTimeoutMs = 300, Workers = [await rig.StartWorkerAsync(Script)] });
        var before = (await rig.PostAsync("iris/score", "{}")).Body;
        Assert.Equal(HttpStatusCode.RequestTimeout, (await rig.PostAsync("iris/score", """{"sleep":0.6}""")).Status);
        Assert.Equal(before, await EventuallyAsync(() => rig.PostAsync("iris/score", "{}")));
    }

    [Fact]
    public async Task Requests_beyond_twice_the_concurrency_are_refused_at_once()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        var gate = Path.Combine(rig.Root, "gate");
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { RequestTimeoutMs = 60_000, MaxQueueWaitMs = 60_000, Workers = [await rig.StartWorkerAsync(Script)] });
        var running = rig.PostAsync("iris/score", $$"""{"gate":"{{gate}}"}""");
        while (!File.Exists(gate + ".entered"))
        {
            await Task.Delay(10);
        }

        var one = rig.PostAsync("iris/score", "{}");
        var other = rig.PostAsync("iris/score", "{}");
        var refused = await Task.WhenAny(one, other);
        Assert.False(running.IsCompleted);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await refused).Status);
        await File.WriteAllTextAsync(gate, "");
        Assert.Equal(HttpStatusCode.OK, (await running).Status);
        Assert.Equal(HttpStatusCode.OK, (await (refused == one ? other : one)).Status);
    }

    [Fact]
    public async Task Mirrored_requests_are_scored_by_the_other_deployment_too_and_never_slow_the_live_answer()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        var seen = Path.Combine(rig.Root, "seen");
        var endpoint = new EndpointRoute("iris", EndpointAuthentication.Key)
        {
            Epoch = "1",
            KeyHashes = [ScoringRig.Hash(ScoringRig.Key)],
            Traffic = All("blue"),
            MirrorTraffic = All("green"),
            Deployments =
            [
                new DeploymentRoute("blue") { Workers = [await rig.StartWorkerAsync(Script)] },
                new DeploymentRoute("green")
                {
                    RequestTimeoutMs = 60_000,
                    MaxQueueWaitMs = 60_000,
                    Workers = [await rig.StartWorkerAsync($$"""
                        import os, time
                        from azureml.contrib.services.aml_request import rawhttp
                        def init(): pass
                        @rawhttp
                        def run(request):
                            with open("{{seen}}", "a") as f: f.write(request.get_data(as_text=True) + request.headers.get("x-mine", "") + request.headers.get("authorization", "") + "\n")
                            while not os.path.exists("{{seen}}.go"): time.sleep(0.01)
                            raise ValueError("nobody hears this")
                        """)],
                },
            ],
        };
        await rig.PushAsync(endpoint);

        // The mirror hangs with the first; the second waits and the third finds no place: all are answered at once by the live one.
        for (var i = 0; i < 3; i++)
        {
            var (status, body, answer) = await rig.PostAsync("iris/score", $$"""{"a":{{i}}}""", ScoringRig.Key, ("x-mine", "yes"));
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Contains($$"""{"a": {{i}}}""", body, StringComparison.Ordinal);
            Assert.Equal("blue", Assert.Single(answer.Headers.GetValues("azureml-model-deployment")));
            await EventuallyAsync(rig, "green", c => c.Pending + c.Requests, i + 1);
        }

        await rig.AppearsAsync(seen);
        Assert.Equal(HttpStatusCode.OK, (await rig.PostAsync("iris/score", """{"a":"named"}""", ScoringRig.Key, ("azureml-model-deployment", "blue"))).Status);
        await File.WriteAllTextAsync(seen + ".go", "");
        await EventuallyAsync(rig, "green", c => c.ModelErrors, 2);
        Assert.Equal(["""{"a":0}yes""", """{"a":1}yes"""], await File.ReadAllLinesAsync(seen));
        var counters = (await rig.CountersAsync()).ToDictionary(c => c.Deployment, StringComparer.Ordinal);
        Assert.Equal((1, 3), (counters["green"].Rejected, counters["green"].Requests));
        Assert.Equal((4, 4), (counters["blue"].Succeeded, counters["blue"].Requests));
    }

    private static async Task EventuallyAsync(ScoringRig rig, string deployment, Func<DeploymentCounters, long> what, long wanted)
    {
        for (var wait = 0; what((await rig.CountersAsync()).Single(c => c.Deployment == deployment)) != wanted; wait++)
        {
            Assert.True(wait < 1000, $"{deployment} never got there");
            await Task.Delay(20);
        }
    }

    [Fact]
    public async Task A_request_that_kills_its_process_is_one_502_and_the_next_is_answered_by_a_new_process()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { Workers = [await rig.StartWorkerAsync(Script)] });
        Assert.Equal(HttpStatusCode.BadGateway, (await rig.PostAsync("iris/score", """{"die":1}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await rig.PostAsync("iris/score", "{}")).Status);
        await rig.LogHoldsAsync("was killed by signal 9");
    }

    [Fact]
    public async Task Without_a_living_process_the_answer_is_503_when_the_time_is_over()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { RequestTimeoutMs = 300, Workers = [await rig.StartWorkerAsync(Script)] });
        rig.KillWorker(0);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await rig.PostAsync("iris/score", "{}")).Status);
    }

    [Fact]
    public async Task A_gateway_that_starts_again_scores_from_its_table_on_disk_at_the_same_port()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { Workers = [await rig.StartWorkerAsync(Script)] });
        var port = rig.Port;
        await rig.StopGatewayAsync();
        await rig.StartGatewayAsync();
        Assert.Equal(port, rig.Port);
        Assert.Equal(HttpStatusCode.OK, (await rig.PostAsync("iris/score", "{}")).Status);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(rig.Data.Path("gateway", "table.json")));
        Assert.DoesNotContain(ScoringRig.Key, await File.ReadAllTextAsync(rig.Data.Path("gateway", "table.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Large_bodies_pass_both_ways()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { Workers = [await rig.StartWorkerAsync(Script)] });
        var padding = new string('y', 3_000_000);
        var answer = await rig.PostAsync("iris/score", $$"""{"pad":"{{padding}}","size":2500000}""");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(2_500_002, answer.Body.Length);
    }

    [Fact]
    public async Task A_script_with_raw_http_sees_the_request_without_the_credential_and_sets_status_and_headers()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        var worker = await rig.StartWorkerAsync("""
            from azureml.contrib.services.aml_request import AMLRequest, rawhttp
            from azureml.contrib.services.aml_response import AMLResponse
            def init(): pass
            @rawhttp
            def run(request):
                return AMLResponse({"method": request.method, "x": request.headers.get("X-Own"), "auth": request.headers.get("Authorization"), "q": request.args}, 201, {"x-mine": "yes"})
            """);
        await rig.PushAsync("iris", All("blue"), new DeploymentRoute("blue") { Workers = [worker] });
        var (status, body, answer) = await rig.PostAsync("iris/score?n=3", "{}", ScoringRig.Key, ("X-Own", "mine"));
        Assert.Equal((HttpStatusCode.Created, """{"method": "POST", "x": "mine", "auth": null, "q": {"n": "3"}}"""), (status, body));
        Assert.Equal("yes", Assert.Single(answer.Headers.GetValues("x-mine")));
    }

    [Fact]
    public async Task An_init_that_raises_is_told_with_the_line_that_did()
    {
        await using var rig = new ScoringRig();
        var worker = await rig.StartWorkerAsync("def init():\n    open('/nothing/model.pkl')\ndef run(x): return x\n", expectFailure: true);
        var told = await File.ReadAllTextAsync(Path.Combine(worker.Folder, "failed"));
        Assert.Contains("FileNotFoundError", told, StringComparison.Ordinal);
        Assert.Contains("score.py:2: open('/nothing/model.pkl')", told, StringComparison.Ordinal);
    }

    private static async Task<string> EventuallyAsync(Func<Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)>> call)
    {
        for (var i = 0; i < 50; i++)
        {
            var (status, body, _) = await call();
            if (status == HttpStatusCode.OK)
            {
                return body;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException("never answered 200");
    }
}
