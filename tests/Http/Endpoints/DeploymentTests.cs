using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Identity;

namespace Zaffre.Tests.Http.Endpoints;

public sealed class DeploymentTests
{
    private const string Script = """
        import json, os, time
        def init():
            global text
            with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "model.txt")) as f: text = f.read()
            print("model says", text)
        def run(raw):
            time.sleep(json.loads(raw).get("sleep", 0))
            return {"model": text, "pid": os.getpid()}
        """;

    [Fact]
    public async Task A_deployment_goes_from_creating_to_serving_and_its_log_can_be_read()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("scorer", Script);
        host.Model("first", "one");
        Assert.Equal("Succeeded", (await host.DeployAsync("iris", "blue", "scorer", "first"))["status"]!.GetValue<string>());
        var deployment = (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/iris/deployments/blue")).Body;
        Assert.Equal("Succeeded", deployment["properties"]!["provisioningState"]!.GetValue<string>());
        Assert.Equal("Default", deployment["properties"]!["scaleSettings"]!["scaleType"]!.GetValue<string>());
        var key = await host.KeyAsync("iris");
        Assert.Equal(HttpStatusCode.NotFound, (await host.ScoreAsync("iris", key)).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.TrafficAsync("iris", """{"blue":100}""")).Status);
        var scored = await host.ScoreAsync("iris", key);
        Assert.Equal((HttpStatusCode.OK, "one"), (scored.Status, JsonNode.Parse(scored.Body)!["model"]!.GetValue<string>()));
        var logs = (await host.ArmAsync(HttpMethod.Post, "onlineEndpoints/iris/deployments/blue/getLogs", """{"tail":50}""")).Body["content"]!.GetValue<string>();
        Assert.Contains("Z model says one\n", logs, StringComparison.Ordinal);
        var last = (await host.ArmAsync(HttpMethod.Post, "onlineEndpoints/iris/deployments/blue/getLogs", """{"tail":1}""")).Body["content"]!.GetValue<string>();
        Assert.Single(last.TrimEnd('\n').Split('\n'));
        Assert.Contains("Model first:1", (await host.ArmAsync(HttpMethod.Post, "onlineEndpoints/iris/deployments/blue/getLogs", """{"containerType":"StorageInitializer"}""")).Body["content"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failing_init_fails_the_deployment_with_the_cause_and_the_line_and_keeps_the_log()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("broken", "import json\ndef init():\n    raise KeyError('species')\ndef run(raw):\n    return raw\n");
        var ended = await host.DeployAsync("iris", "blue", "broken");
        Assert.Equal("Failed", ended["status"]!.GetValue<string>());
        Assert.Equal("ScoringScriptFailed", ended["error"]!["code"]!.GetValue<string>());
        Assert.Contains("KeyError: 'species'", ended["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("score.py:3", ended["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.EndsWith("line 3, in init\n    raise KeyError('species')\nKeyError: 'species'\n", ended["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("Failed", (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/iris/deployments/blue")).Body["properties"]!["provisioningState"]!.GetValue<string>());
        Assert.Contains("KeyError: 'species'", (await host.ArmAsync(HttpMethod.Post, "onlineEndpoints/iris/deployments/blue/getLogs")).Body["content"]!.GetValue<string>(), StringComparison.Ordinal);
        await host.Launcher.LeavesAsync(0);

        // One that lacked what clients read would break the endpoint's own GET in them.
        var listed = Assert.Single((await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/iris/deployments")).Body["value"]!.AsArray())!;
        Assert.All(new[] { "id", "name", "type", "location", "sku", "systemData" }, member => Assert.NotNull(listed[member]));
        Assert.NotNull(listed["properties"]!["scaleSettings"]!["scaleType"]);
        Assert.IsType<JsonObject>(listed["properties"]!["properties"]);

        // The same name can be tried again.
        host.Code("fixed", "def init(): pass\ndef run(raw): return raw\n");
        Assert.Equal("Succeeded", (await host.DeployAsync("iris", "blue", "fixed"))["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_update_takes_over_without_a_failed_request_and_a_failed_one_leaves_the_old_serving()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("scorer", Script);
        host.Code("broken", "def init(): raise ValueError('no')\ndef run(raw): return raw\n");
        host.Model("first", "one");
        host.Model("second", "two");
        await host.DeployAsync("iris", "blue", "scorer", "first");
        await host.TrafficAsync("iris", """{"blue":100}""");
        var key = await host.KeyAsync("iris");
        using var stop = new CancellationTokenSource();
        var load = Task.Run(async () =>
        {
            var seen = new List<(HttpStatusCode Status, string Body)>();
            while (!stop.IsCancellationRequested)
            {
                seen.Add(await host.ScoreAsync("iris", key, """{"sleep":0.01}"""));
            }

            return seen;
        });
        Assert.Equal("Succeeded", (await host.DeployAsync("iris", "blue", "scorer", "second"))["status"]!.GetValue<string>());
        Assert.Contains("two", (await host.ScoreAsync("iris", key)).Body, StringComparison.Ordinal);
        Assert.Equal("Failed", (await host.DeployAsync("iris", "blue", "broken", "second"))["status"]!.GetValue<string>());
        Assert.Contains("two", (await host.ScoreAsync("iris", key)).Body, StringComparison.Ordinal);
        await stop.CancelAsync();
        var answers = await load;
        Assert.NotEmpty(answers);
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.Status));
        await host.Launcher.LeavesAsync(1);
    }

    [Fact]
    public async Task A_server_that_starts_again_takes_over_its_instances_and_scoring_never_stops()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("scorer", Script);
        host.Model("first", "one");
        await host.DeployAsync("iris", "blue", "scorer", "first", instances: 2);
        await host.TrafficAsync("iris", """{"blue":100}""");
        var key = await host.KeyAsync("iris");
        await host.StopServerAsync();
        Assert.Equal(HttpStatusCode.OK, (await host.ScoreAsync("iris", key)).Status);
        await host.StartServerAsync();
        Assert.Equal(HttpStatusCode.OK, (await host.ScoreAsync("iris", key)).Status);
        await Task.Delay(300);
        Assert.Equal((2, 2), (host.Launcher.Starts, host.Launcher.Living));
    }

    [Fact]
    public async Task An_instance_that_dies_is_started_again()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("scorer", Script);
        host.Model("first", "one");
        await host.DeployAsync("iris", "blue", "scorer", "first");
        await host.TrafficAsync("iris", """{"blue":100}""");
        var key = await host.KeyAsync("iris");
        host.Launcher.KillAll();
        var answer = await host.ScoreAsync("iris", key);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(2, host.Launcher.Starts);
    }

    [Fact]
    public async Task A_deployment_with_traffic_is_not_deleted_and_one_without_ends_its_instances()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("scorer", Script);
        host.Model("first", "one");
        await host.DeployAsync("iris", "blue", "scorer", "first");
        await host.TrafficAsync("iris", """{"blue":100}""");
        Assert.Equal(HttpStatusCode.Conflict, (await host.ArmAsync(HttpMethod.Delete, "onlineEndpoints/iris/deployments/blue")).Status);
        Assert.Equal((string[])["properties.mirrorTraffic.blue", "properties.mirrorTraffic.blue"], await host.RefusedAsync("iris", """{"blue":100}""", """{"blue":60}"""));
        Assert.Empty(await host.RefusedAsync("iris", """{"blue":0}""", """{"blue":50}"""));
        Assert.Equal(HttpStatusCode.OK, (await host.ArmAsync(HttpMethod.Delete, "onlineEndpoints/iris/deployments/blue")).Status);
        Assert.Equal("{}", (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/iris")).Body["properties"]!["mirrorTraffic"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.NotFound, (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/iris/deployments/blue")).Status);
        for (var i = 0; i < 200 && host.Launcher.Living > 0; i++)
        {
            await Task.Delay(25);
        }

        await host.Launcher.LeavesAsync(0);
        Assert.Equal(HttpStatusCode.OK, (await host.ArmAsync(HttpMethod.Delete, "onlineEndpoints/iris")).Status);
    }

    [Fact]
    public async Task While_an_operation_runs_another_is_a_conflict_and_deleting_ends_it()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("slow", "import time\ndef init(): time.sleep(600)\ndef run(raw): return raw\n");
        await host.ArmAsync(HttpMethod.Put, "onlineEndpoints/iris", """{"location":"local","properties":{"authMode":"Key"}}""");
        const string body = """{"location":"local","properties":{"endpointComputeType":"Managed","codeConfiguration":{"codeId":"slow","scoringScript":"score.py"}}}""";
        var put = await host.ArmAsync(HttpMethod.Put, "onlineEndpoints/iris/deployments/blue", body);
        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal("Creating", put.Body["properties"]!["provisioningState"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.Conflict, (await host.ArmAsync(HttpMethod.Put, "onlineEndpoints/iris/deployments/blue", body)).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.ArmAsync(HttpMethod.Delete, "onlineEndpoints/iris/deployments/blue")).Status);
        Assert.Equal("Failed", (await host.FinishAsync(put.Body["operation"]!.GetValue<string>()))["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Extra_packages_are_resolved_with_the_environment_and_a_missing_file_is_named()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("scorer", "def init(): pass\ndef run(raw): return raw\n", ("more.txt", "numpy>=1\n# a comment\nscipy\n"), ("more.yml", "dependencies: [pandas, {pip: [joblib]}]"));
        static JsonObject Variables(string name, string value) => new() { ["environmentVariables"] = new JsonObject { [name] = value } };
        var both = Variables("AZUREML_EXTRA_REQUIREMENTS_TXT", "more.txt");
        both["environmentVariables"]!["AZUREML_EXTRA_CONDA_YAML"] = "more.yml";
        Assert.Equal("Succeeded", (await host.DeployAsync("iris", "blue", "scorer", more: both))["status"]!.GetValue<string>());
        var declared = JsonNode.Parse(Assert.Single(host.Environments.Asked)!["condaFile"]!.GetValue<string>())!["dependencies"]!;
        Assert.Equal("""["pandas",{"pip":["joblib"]},{"pip":["numpy\u003E=1","# a comment","scipy"]}]""", declared.ToJsonString());
        var missing = await host.DeployAsync("iris", "blue", "scorer", more: Variables("AZUREML_EXTRA_REQUIREMENTS_TXT", "none.txt"));
        Assert.Equal("InvalidExtraPackages", missing["error"]!["code"]!.GetValue<string>());
        Assert.Contains("'none.txt', which the code folder lacks", missing["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        var outside = await host.DeployAsync("iris", "blue", "scorer", more: Variables("AZUREML_EXTRA_CONDA_YAML", "../secret.yml"));
        Assert.Contains("inside the code folder", outside["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_model_is_mounted_below_the_path_that_the_deployment_names()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("scorer", Script);
        host.Model("first", "one");
        Assert.Equal("Succeeded", (await host.DeployAsync("iris", "blue", "scorer", "first", more: new JsonObject { ["modelMountPath"] = "/var/models/" }))["status"]!.GetValue<string>());
        Assert.Contains("Model first:1 at /var/models/first/1/model", await host.LogAsync("iris", "blue", "StorageInitializer"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_readiness_probe_bounds_the_start_and_wrong_probes_are_named()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("slow", "import threading\ndef init(): threading.Event().wait()\ndef run(raw): return raw\n");
        var probe = new JsonObject { ["readinessProbe"] = JsonNode.Parse("""{"initialDelay":"PT0.2S","period":"PT0.3S","failureThreshold":1}""") };
        var ended = await host.DeployAsync("iris", "blue", "slow", more: probe);
        Assert.Equal("InitTimeout", ended["error"]!["code"]!.GetValue<string>());
        await host.Launcher.LeavesAsync(0);
        var wrong = await host.ArmAsync(HttpMethod.Put, "onlineEndpoints/iris/deployments/green", """
            {"location":"local","properties":{"endpointComputeType":"Managed","codeConfiguration":{"codeId":"slow","scoringScript":"score.py"},
             "readinessProbe":{"period":"soon","failureThreshold":0},"livenessProbe":7}}
            """);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.Status);
        foreach (var path in new[] { "properties.readinessProbe.period", "properties.readinessProbe.failureThreshold", "properties.livenessProbe" })
        {
            Assert.Contains(path, wrong.Body.ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Requests_are_counted_by_deployment_and_readers_can_read_the_counts()
    {
        await using var host = await ServingHost.StartAsync();
        host.Code("scorer", "def init(): pass\ndef run(raw):\n    if raw == 'no': raise ValueError\n    return raw\n");
        await host.DeployAsync("iris", "blue", "scorer");
        await host.TrafficAsync("iris", """{"blue":100}""");
        var key = await host.KeyAsync("iris");
        await host.ScoreAsync("iris", key, "one");
        await host.ScoreAsync("iris", key, "two");
        await host.ScoreAsync("iris", key, "no");
        var metrics = (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/iris/deployments/blue/metrics")).Body;
        Assert.Equal((3, 2, 1), (metrics["requests"]!["total"]!.GetValue<int>(), metrics["requests"]!["succeeded"]!.GetValue<int>(), metrics["requests"]!["model_error"]!.GetValue<int>()));
        Assert.True(metrics["latencySeconds"]!["p99"]!.GetValue<double>() > 0);
        Assert.Equal((2, 1, 0), (metrics["places"]!.GetValue<int>(), metrics["connections"]!.GetValue<int>(), metrics["pending"]!.GetValue<int>()));
        Assert.Equal(HttpStatusCode.NotFound, (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/iris/deployments/none/metrics")).Status);
        var all = await host.MetricsAsync();
        Assert.Contains("zaffre_scoring_requests_total{endpoint=\"iris\",deployment=\"blue\",outcome=\"succeeded\"} 2\n", all.Body, StringComparison.Ordinal);
        Assert.Contains("zaffre_scoring_latency_seconds_bucket{endpoint=\"iris\",deployment=\"blue\",le=\"+Inf\"} 3\n", all.Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.MetricsAsync(anonymous: true)).Status);
    }

    [Fact]
    public async Task Principals_that_may_score_are_let_in_with_their_access_token_until_the_role_is_taken_away()
    {
        const string MachineLearning = "https://ml.azure.com/.default";
        await using var host = await ServingHost.StartAsync();
        host.Code("scorer", Script);
        host.Model("first", "one");
        Assert.Equal(HttpStatusCode.Created, (await host.ArmAsync(HttpMethod.Put, "onlineEndpoints/iris", """{"location":"local","properties":{"authMode":"AADToken"}}""")).Status);
        await host.DeployAsync("iris", "blue", "scorer", "first");
        Assert.Equal(HttpStatusCode.OK, (await host.ArmAsync(HttpMethod.Put, "onlineEndpoints/iris", """{"location":"local","properties":{"authMode":"AADToken","traffic":{"blue":100}}}""")).Status);
        async Task<HttpStatusCode> ScoreAsync(string token) => (await host.ScoreAsync("iris", token)).Status;
        async Task BecomesAsync(string token, HttpStatusCode wanted)
        {
            for (var wait = 0; await ScoreAsync(token) != wanted; wait++)
            {
                Assert.True(wait < 400, $"never {wanted}");
                await Task.Delay(25);
            }
        }

        Assert.Equal(HttpStatusCode.OK, await ScoreAsync(await host.TokenAsync(MachineLearning)));
        Assert.Equal(HttpStatusCode.Forbidden, await ScoreAsync(await host.TokenAsync()));
        Assert.Equal(HttpStatusCode.Forbidden, await ScoreAsync((await host.TokenAsync(MachineLearning))[..^4] + "AAAA"));

        var somebody = await host.Get<IPrincipals>().CreateAsync("somebody", "test", CancellationToken.None);
        var token = await host.TokenAsync(MachineLearning, somebody);
        Assert.Equal(HttpStatusCode.Forbidden, await ScoreAsync(token));
        async Task<string> GrantAsync(string role)
        {
            var name = $"providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}";
            var body = $$$"""{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/{{{role}}}","principalId":"{{{somebody.Principal.ObjectId}}}","principalType":"ServicePrincipal"}}""";
            Assert.Equal(HttpStatusCode.Created, (await host.ArmAsync(HttpMethod.Put, name, body)).Status);
            return name;
        }

        await GrantAsync("acdd72a7-3385-48ef-bd42-f606fba81ae7");
        var scientist = await GrantAsync("f6c7c914-8db3-469d-8ca1-694a8f32e121");
        await BecomesAsync(token, HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.OK, (await host.ArmAsync(HttpMethod.Delete, scientist)).Status);
        await BecomesAsync(token, HttpStatusCode.Forbidden);

        var owners = await host.TokenAsync(MachineLearning);
        await host.StopServerAsync();
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (await ScoreAsync(owners), await ScoreAsync(token)));
        await host.StartServerAsync();
    }
}
