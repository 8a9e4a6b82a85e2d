using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Zaffre.Tests.Http.Endpoints;

/// <summary>ONNX models without code: through the module and a real gateway, which scores them itself.</summary>
public sealed class OnnxDeploymentTests
{
    private const string Row = """{"input_data":[[1,2,3,4]]}""";

    [Fact]
    public async Task A_model_is_scored_by_the_gateway_on_every_route_and_no_instance_is_started()
    {
        await using var host = await ServingHost.StartAsync();
        host.OnnxModel("flowers", ("logistic.onnx", "model/model.onnx"));
        var ended = await host.DeployModelAsync("zoo", "blue", "flowers");
        Assert.True(ended["status"]!.GetValue<string>() == "Succeeded", ended.ToJsonString());
        Assert.Equal(0, host.Launcher.Starts);
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        Assert.Equal("onnx", (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/zoo/deployments/blue")).Body["properties"]!["properties"]!["zaffre.runtime"]!.GetValue<string>());
        var log = await host.LogAsync("zoo", "blue");
        Assert.Contains("Model flowers version 1: x float32[-1,4] -> label int64[-1], probabilities float32[-1,3]", log, StringComparison.Ordinal);
        var scored = await host.ScoreAsync("zoo", key, Row);
        Assert.Equal(HttpStatusCode.OK, scored.Status);
        Assert.Equal(3, JsonNode.Parse(scored.Body)!["probabilities"]![0]!.AsArray().Count);
        var invoked = await host.ScoreAsync("zoo", key, "a,b,c,d\n1,2,3,4\n", "invocations", "text/csv");
        Assert.Equal((HttpStatusCode.OK, $$"""{"predictions":{{scored.Body}}}"""), invoked);
        Assert.Equal((HttpStatusCode.OK, "\n"), await host.ReadAsync("zoo", key, "ping"));
        Assert.Equal((HttpStatusCode.OK, "1"), await host.ReadAsync("zoo", key, "version"));
        Assert.Contains("probabilities", (await host.ReadAsync("zoo", key, "swagger.json")).Body, StringComparison.Ordinal);
        Assert.Contains("zaffre_scoring_requests_total{endpoint=\"zoo\",deployment=\"blue\",outcome=\"succeeded\"} 2", (await host.MetricsAsync()).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.ScoreAsync("zoo", "", Row)).Status);

        // A server that starts again finds the gateway with its models.
        await host.StopServerAsync();
        await host.StartServerAsync();
        Assert.Equal(scored, await host.ScoreAsync("zoo", key, Row));
        await host.ArmAsync(HttpMethod.Delete, "onlineEndpoints/zoo/deployments/blue");
    }

    [Fact]
    public async Task Input_that_does_not_fit_is_400_with_the_expected_signature()
    {
        await using var host = await ServingHost.StartAsync();
        host.OnnxModel("flowers", ("logistic.onnx", "model.onnx"));
        await host.DeployModelAsync("zoo", "blue", "flowers");
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        var (status, body) = await host.ScoreAsync("zoo", key, """{"input_data":[[1,2]]}""");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("tensor 'x' must have the shape (-1, 4); the one sent has (1, 2).", JsonNode.Parse(body)!["error"]!["message"]!.GetValue<string>());
        Assert.Equal("""[{"name":"x","type":"tensor","tensor-spec":{"dtype":"float32","shape":[-1,4]}}]""", JsonNode.Parse(body)!["expected_signature"]!["inputs"]!.ToJsonString());
        var invoked = await host.ScoreAsync("zoo", key, """{"inputs":[["tall",2,3,4]]}""", "invocations");
        Assert.Equal((HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE"), (invoked.Status, JsonNode.Parse(invoked.Body)!["error_code"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.BadRequest, (await host.ScoreAsync("zoo", key, "{")).Status);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await host.ScoreAsync("zoo", key, "x", "score", "text/plain")).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.ScoreAsync("zoo", key, Row)).Status);
    }

    [Fact]
    public async Task A_new_generation_takes_over_under_load_without_a_lost_request_and_a_failed_one_does_not()
    {
        await using var host = await ServingHost.StartAsync();
        host.OnnxModel("first", ("logistic.onnx", "model.onnx"));
        host.OnnxModel("second", ("linear.onnx", "model.onnx"));
        host.ModelFile("broken", "model/model.onnx", "no model");
        var concurrent = new JsonObject { ["requestSettings"] = new JsonObject { ["maxConcurrentRequestsPerInstance"] = 8 } };
        await host.TrafficAsync("zoo", "{}");
        await host.FinishAsync((await host.PutModelAsync("zoo", "blue", "first", concurrent)).Body["operation"]!.GetValue<string>());
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        using var stop = new CancellationTokenSource();
        var load = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var seen = new List<(HttpStatusCode Status, string Body)>();
            while (!stop.IsCancellationRequested)
            {
                seen.Add(await host.ScoreAsync("zoo", key, Row));
            }

            return seen;
        })).ToList();
        var failed = await host.FinishAsync((await host.PutModelAsync("zoo", "blue", "broken", concurrent)).Body["operation"]!.GetValue<string>());
        Assert.Equal("ModelLoadFailed", failed["error"]!["code"]!.GetValue<string>());
        var old = await host.ScoreAsync("zoo", key, Row);
        concurrent["environmentVariables"] = new JsonObject { ["ZAFFRE_ONNX_BATCH_ROWS"] = "16", ["ZAFFRE_ONNX_BATCH_DELAY_US"] = "1000" };
        var taken = await host.FinishAsync((await host.PutModelAsync("zoo", "blue", "second", concurrent)).Body["operation"]!.GetValue<string>());
        Assert.Equal("Succeeded", taken["status"]!.GetValue<string>());
        for (var i = 0; i < 200 && (await host.ScoreAsync("zoo", key, Row)).Body.Contains("label", StringComparison.Ordinal); i++)
        {
            await Task.Delay(20);
        }

        await stop.CancelAsync();
        var answers = (await Task.WhenAll(load)).SelectMany(a => a).ToList();
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.Status));
        Assert.Equal(2, answers.Select(a => a.Body).Append(old.Body).Distinct(StringComparer.Ordinal).Count());
        Assert.Contains("\"y\":", (await host.ScoreAsync("zoo", key, Row)).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("custom.onnx", "ModelLoadFailed", "Custom operators are not loaded")]
    [InlineData("external/model.onnx", "ModelFilesMissing", "'weights.bin', which the model's folder lacks")]
    [InlineData("escaping/model.onnx", "ModelFilesMissing", "outside of the model's folder")]
    [InlineData("make.py", "ModelLoadFailed", "damaged or no ONNX model")]
    public async Task A_model_that_cannot_be_scored_fails_the_deployment_by_name(string source, string code, string words)
    {
        await using var host = await ServingHost.StartAsync();
        host.OnnxModel("bad", (source, "model/model.onnx"));
        var ended = await host.DeployModelAsync("zoo", "blue", "bad");
        Assert.Equal((code, "Failed"), (ended["error"]?["code"]?.GetValue<string>(), ended["status"]!.GetValue<string>()));
        var message = ended["error"]!["message"]!.GetValue<string>();
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.DoesNotContain(host.Data.Root, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_of_the_deployment_hold_408_when_it_runs_too_long_and_429_when_too_many_wait()
    {
        await using var host = await ServingHost.StartAsync();
        host.OnnxModel("counter", ("count.onnx", "model/count.onnx"));
        await host.TrafficAsync("zoo", "{}");
        var strict = new JsonObject { ["requestSettings"] = new JsonObject { ["requestTimeout"] = "PT1S", ["maxQueueWait"] = "PT0.01S" } };
        await host.FinishAsync((await host.PutModelAsync("zoo", "blue", "counter", strict)).Body["operation"]!.GetValue<string>());
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => host.ScoreAsync("zoo", key, """{"inputs":[4000000000000]}""")));
        Assert.Equal([HttpStatusCode.RequestTimeout, HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests], runs.Select(r => r.Status).Order());
        Assert.Equal((HttpStatusCode.OK, """{"y":[7]}"""), await host.ScoreAsync("zoo", key, """{"inputs":[7]}"""));
        var wrong = await host.PutModelAsync("zoo", "green", "counter", new JsonObject { ["environmentVariables"] = new JsonObject { ["ZAFFRE_ONNX_THREADS"] = "many" } });
        Assert.Equal((HttpStatusCode.BadRequest, true), (wrong.Status, wrong.Body.ToJsonString().Contains("whole number from 1 to 64", StringComparison.Ordinal)));
        var unknown = await host.PutModelAsync("zoo", "green", "counter", new JsonObject { ["environmentVariables"] = new JsonObject { ["ZAFFRE_ONNX_DEVICE"] = "cuda" } });
        Assert.Equal((HttpStatusCode.BadRequest, "OperationNotSupported"), (unknown.Status, unknown.Body["error"]!["code"]!.GetValue<string>()));
        var joined = await host.FinishAsync((await host.PutModelAsync("zoo", "green", "counter", new JsonObject { ["environmentVariables"] = new JsonObject { ["ZAFFRE_ONNX_BATCH_ROWS"] = "8" } })).Body["operation"]!.GetValue<string>());
        Assert.Contains("whose first size is free", joined["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_mlflow_model_of_the_onnx_flavor_takes_the_columns_of_its_signature()
    {
        await using var host = await ServingHost.StartAsync();
        host.OnnxModel("sums", ("linear.onnx", "model/data/linear.onnx"));
        host.ModelFile("sums", "model/MLmodel", """
            flavors:
              onnx: {onnx_version: 1.12.0, data: data/linear.onnx, providers: [CPUExecutionProvider]}
              python_function: {loader_module: mlflow.onnx}
            mlflow_version: 2.9.2
            signature:
              inputs: '[{"type":"double","name":"a"},{"type":"double","name":"b"},{"type":"double","name":"c"},{"type":"double","name":"d"}]'
            """);
        await host.DeployModelAsync("zoo", "blue", "sums");
        Assert.Equal("mlflow/onnx", (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/zoo/deployments/blue")).Body["properties"]!["properties"]!["zaffre.runtime"]!.GetValue<string>());
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        Assert.Equal((HttpStatusCode.OK, "2.9.2"), await host.ReadAsync("zoo", key, "version"));
        var scored = await host.ScoreAsync("zoo", key, Row);
        Assert.Equal(scored, await host.ScoreAsync("zoo", key, """{"dataframe_records":[{"d":4,"c":3,"b":2,"a":1}]}"""));
        var refused = await host.ScoreAsync("zoo", key, """{"input_data":{"columns":["a","b","wings"],"data":[[1,2,3]]}}""");
        Assert.Equal((HttpStatusCode.BadRequest, "Model is missing inputs ['c', 'd']. Note that there were extra inputs: ['wings']."), (refused.Status, JsonNode.Parse(refused.Body)!["error"]!["message"]!.GetValue<string>()));
        Assert.Equal(0, host.Launcher.Starts);
    }

    [Fact]
    public async Task A_repository_serves_its_models_over_the_open_inference_protocol_in_json_and_bytes()
    {
        await using var host = await ServingHost.StartAsync();
        host.OnnxModel("triton", ("linear.onnx", "model/sums/1/model.onnx"), ("linear.onnx", "model/sums/3/model.onnx"), ("words.onnx", "model/words/1/words.onnx"));
        host.ModelFile("triton", "model/words/config.pbtxt", "name: \"words\" # a comment\nplatform: \"onnxruntime_onnx\"\nmax_batch_size: 0\ndefault_model_filename: \"words.onnx\"\ninput [ { name: \"word\" data_type: TYPE_STRING dims: [ -1 ] } ]\n");
        host.ModelFile("triton", "model/sums/config.pbtxt", "backend: \"onnxruntime\"\nversion_policy { all { } }\n");
        var ended = await host.DeployModelAsync("zoo", "blue", "triton");
        Assert.True(ended["status"]!.GetValue<string>() == "Succeeded", ended.ToJsonString());
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        Assert.Equal(HttpStatusCode.OK, (await host.ReadAsync("zoo", key, "v2/health/ready")).Status);
        Assert.Contains("binary_tensor_data", (await host.ReadAsync("zoo", key, "v2")).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await host.ReadAsync("zoo", key, "v2/models/sums/versions/1/ready")).Status);
        Assert.Equal("""{"name":"sums","versions":["3","1"],"platform":"onnxruntime_onnx","inputs":[{"name":"x","datatype":"FP32","shape":[-1,4]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1,1]}]}""", (await host.ReadAsync("zoo", key, "v2/models/sums")).Body);
        var several = await host.ScoreAsync("zoo", key, Row);
        Assert.Equal((HttpStatusCode.BadRequest, true), (several.Status, several.Body.Contains("v2/models/NAME/infer with one of sums, words", StringComparison.Ordinal)));

        var json = await host.ScoreAsync("zoo", key, """{"id":"7","inputs":[{"name":"x","datatype":"FP32","shape":[2,4],"data":[1,2,3,4,5,6,7,8]}]}""", "v2/models/sums/infer");
        Assert.StartsWith("""{"id":"7","model_name":"sums","model_version":"3","outputs":[{"name":"y","datatype":"FP32","shape":[2,1],"data":[""", json.Body, StringComparison.Ordinal);
        var expected = JsonNode.Parse(json.Body)!["outputs"]![0]!["data"]!.AsArray().Select(n => n!.GetValue<float>()).ToArray();
        var head = Encoding.UTF8.GetBytes("""{"inputs":[{"name":"x","datatype":"FP32","shape":[2,4],"parameters":{"binary_data_size":32}}],"parameters":{"binary_data_output":true}}""");
        using var binary = await host.PostBytesAsync("zoo", key, "v2/models/sums/versions/1/infer", ([.. head, .. MemoryMarshal.AsBytes<float>([1, 2, 3, 4, 5, 6, 7, 8])], head.Length));
        var bytes = await binary.Content.ReadAsByteArrayAsync();
        var length = int.Parse(Assert.Single(binary.Headers.GetValues("Inference-Header-Content-Length")), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains("\"parameters\":{\"binary_data_size\":8}", Encoding.UTF8.GetString(bytes, 0, length), StringComparison.Ordinal);
        Assert.Equal(expected, MemoryMarshal.Cast<byte, float>(bytes.AsSpan(length)).ToArray());
        var words = await host.ScoreAsync("zoo", key, """{"inputs":[{"name":"word","datatype":"BYTES","shape":[1],"data":["cat"]}],"outputs":[{"name":"plural"}]}""", "v2/models/words/infer");
        Assert.Equal("""{"model_name":"words","model_version":"1","outputs":[{"name":"plural","datatype":"BYTES","shape":[1],"data":["cats"]}]}""", words.Body);
    }

    [Fact]
    public async Task Requests_of_the_protocol_that_do_not_fit_are_refused_in_its_form()
    {
        (string Route, string Body, int Status, string Words)[] cases =
        [
            ("v2/models/sums/infer", """{"inputs":[{"name":"x","datatype":"FP64","shape":[1,4],"data":[1,2,3,4]}]}""", 400, "has the datatype FP32; FP64 was sent"),
            ("v2/models/sums/infer", """{"inputs":[{"name":"x","datatype":"FP32","shape":[2,4],"data":[1,2,3,4]}]}""", 400, "needs 8 elements"),
            ("v2/models/sums/infer", """{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1,2,3]}]}""", 400, "must have the shape (-1, 4)"),
            ("v2/models/sums/infer", """{"inputs":[{"name":"z","datatype":"FP32","shape":[1],"data":[1]}]}""", 400, "has no input 'z'; it takes x"),
            ("v2/models/sums/infer", """{"inputs":[]}""", 400, "missing inputs ['x']"),
            ("v2/models/sums/infer", """{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]}],"outputs":[{"name":"q"}]}""", 400, "has no output 'q'"),
            ("v2/models/sums/infer", """{"inputs":[{"name":"x","datatype":"FP32","shape":[4294967296,4294967296,4294967296],"data":[1]}]}""", 400, "'shape' must be a list"),
            ("v2/models/sums/infer", """{"inputs":[{"name":"x","datatype":"FP32","shape":[2147483647,2147483647,2147483647],"data":[1]}]}""", 400, "more elements than can be counted"),
            ("v2/models/sums/infer", """{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"parameters":{"binary_data_size":16}}]}""", 400, "announces 16 bytes; 0 follow"),
            ("v2/models/sums/infer", """{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"parameters":{"shared_memory_region":"a"}}]}""", 400, "'shared_memory_region' belongs to an extension"),
            ("v2/models/sums/infer", "{", 400, "not valid JSON"),
            ("v2/models/other/infer", "{}", 404, "has no model 'other'"),
            ("v2/models/sums/versions/9/infer", "{}", 404, "of version 9"),
        ];
        await using var host = await ServingHost.StartAsync();
        host.OnnxModel("sums", ("linear.onnx", "model.onnx"));
        await host.DeployModelAsync("zoo", "blue", "sums");
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        foreach (var (route, body, status, words) in cases)
        {
            var refused = await host.ScoreAsync("zoo", key, body, route);
            Assert.Equal(status, (int)refused.Status);
            Assert.Contains(words, JsonNode.Parse(refused.Body)!["error"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }
}
