using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Gateway;

namespace Zaffre.Tests.Unit.Gateway;

/// <summary>What a scoring script may be and do, through a gateway and real scoring processes.</summary>
[Collection(Alone.Name)]
public sealed class ScriptRuntimeTests
{
    private static async Task<ScoringRig> ServeAsync(string script, int timeoutMs = 20_000, params (string Name, string Text)[] files)
    {
        var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        var worker = await rig.StartWorkerAsync(script, files: files);
        await rig.PushAsync("iris", new Dictionary<string, int>(StringComparer.Ordinal) { ["blue"] = 100 }, new DeploymentRoute("blue") { RequestTimeoutMs = timeoutMs, Workers = [worker] });
        return rig;
    }

    [Fact]
    public async Task Async_scripts_keep_one_event_loop_from_init_to_every_run()
    {
        await using var rig = await ServeAsync("""
            import asyncio
            async def init():
                global loop, lock
                loop, lock = asyncio.get_running_loop(), asyncio.Lock()
            async def run(raw):
                async with lock:
                    await asyncio.sleep(0)
                return {"same": asyncio.get_running_loop() is loop, "raw": raw}
            """);
        Assert.Equal((HttpStatusCode.OK, """{"same": true, "raw": "x"}"""), Two(await rig.PostAsync("iris/score", "x")));
        Assert.Equal((HttpStatusCode.OK, """{"same": true, "raw": "y"}"""), Two(await rig.PostAsync("iris/score", "y")));
    }

    [Theory]
    [InlineData("def run(raw):", "while not os.path.exists(raw): time.sleep(0.01)")]
    [InlineData("async def run(raw):", "while not os.path.exists(raw): await asyncio.sleep(0.01)")]
    public async Task A_generator_is_streamed_as_events_each_when_it_is_yielded(string signature, string wait)
    {
        await using var rig = await ServeAsync($$"""
            import asyncio, os, time
            def init(): pass
            {{signature}}
                yield {"token": "one"}
                {{wait}}
                yield "two\nlines"
                yield "event: own\ndata: 3\n\n"
            """);
        var gate = Path.Combine(rig.Root, "gate");
        using var answer = await rig.OpenAsync("iris/score", gate);
        Assert.Equal("text/event-stream; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.Equal("""data: {"token": "one"}""", await reader.ReadLineAsync());
        await File.WriteAllTextAsync(gate, "");
        Assert.Equal("\ndata: two\ndata: lines\n\nevent: own\ndata: 3\n\n", await reader.ReadToEndAsync());
        Assert.Equal(HttpStatusCode.OK, (await rig.PostAsync("iris/score", gate)).Status);
    }

    [Fact]
    public async Task A_stream_that_fails_says_so_in_an_event_and_one_that_fails_at_once_is_no_stream()
    {
        await using var rig = await ServeAsync("""
            def init(): pass
            def run(raw):
                if raw == "early": raise KeyError("early")
                yield "begun"
                raise ValueError("inside the stream")
            """);
        var late = await rig.PostAsync("iris/score", "late");
        Assert.Equal(HttpStatusCode.OK, late.Status);
        Assert.StartsWith("data: begun\n\nevent: error\ndata: {", late.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("inside", late.Body, StringComparison.Ordinal);
        await rig.LogHoldsAsync("ValueError: inside the stream");
        Assert.Equal(424, (int)(await rig.PostAsync("iris/score", "early")).Status);
        Assert.Equal(HttpStatusCode.OK, (await rig.PostAsync("iris/score", "late")).Status);
    }

    [Fact]
    public async Task Bytes_and_raw_responses_stream_as_they_are_and_break_off_when_they_fail()
    {
        await using var rig = await ServeAsync("""
            from azureml.contrib.services.aml_request import AMLRequest, rawhttp
            from azureml.contrib.services.aml_response import AMLResponse
            def init(): pass
            def pieces(fail):
                yield "item: 1\n\n"
                if fail: raise ValueError("broken")
                yield b"item: 2\n\n"
            @rawhttp
            def run(request):
                return AMLResponse(pieces(request.get_data() == b"fail"), 201, {"x-own": "yes"})
            """);
        var (status, body, answer) = await rig.PostAsync("iris/score", "");
        Assert.Equal((HttpStatusCode.Created, "item: 1\n\nitem: 2\n\n", "yes"), (status, body, Assert.Single(answer.Headers.GetValues("x-own"))));
        await Assert.ThrowsAsync<HttpRequestException>(() => rig.PostAsync("iris/score", "fail"));
        Assert.Equal(HttpStatusCode.Created, (await rig.PostAsync("iris/score", "")).Status);
    }

    [Fact]
    public async Task A_caller_who_leaves_ends_the_generator_and_a_stream_over_its_time_is_cut()
    {
        await using var rig = await ServeAsync(
            """
            import os, time
            def init(): pass
            def run(raw):
                try:
                    yield "first"
                    while True:
                        time.sleep(0.01)
                        yield "more"
                finally:
                    open(raw, "w").close()
            """,
            timeoutMs: 3000);
        var left = Path.Combine(rig.Root, "left");
        using (var answer = await rig.OpenAsync("iris/score", left))
        {
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
            Assert.Equal("data: first", await reader.ReadLineAsync());
        }

        await rig.AppearsAsync(left);
        var cut = Path.Combine(rig.Root, "cut");
        await Assert.ThrowsAsync<HttpRequestException>(() => rig.PostAsync("iris/score", cut));
        await rig.AppearsAsync(cut);
    }

    [Fact]
    public async Task A_schema_converts_arguments_refuses_what_does_not_fit_and_describes_the_service()
    {
        await using var rig = await ServeAsync("""
            import numpy, pandas
            from inference_schema.schema_decorators import input_schema, output_schema
            from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
            from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
            from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
            def init(): pass
            @input_schema("data", NumpyParameterType(numpy.array([[1.0, 2.0]])))
            @input_schema("table", PandasParameterType(pandas.DataFrame({"a": [1], "b": ["x"]})))
            @input_schema("times", StandardPythonParameterType(2))
            @output_schema(StandardPythonParameterType([1.5]))
            def run(data, table, times=1):
                return (data.sum(axis=1) * times).tolist() + table["b"].tolist()
            """);
        const string Good = """{"data":[[1,2],[3,4]],"table":[{"a":1,"b":"z"}],"times":10}""";
        Assert.Equal((HttpStatusCode.OK, """[30.0, 70.0, "z"]"""), Two(await rig.PostAsync("iris/score", Good)));
        foreach (var (body, words) in new[]
        {
            (Good.Replace("[3,4]", "[3]", StringComparison.Ordinal), "'data': Invalid input array"), (Good.Replace("10", "\"x\"", StringComparison.Ordinal), "'times': Invalid input data type"),
            ("""{"table":[]}""", "missing are [data]"), (Good.Replace("times", "time", StringComparison.Ordinal), "unknown are [time]"), ("[1]", "must be a JSON object"), ("{", "not valid JSON"),
        })
        {
            var (status, text, _) = await rig.PostAsync("iris/score", body);
            Assert.Equal((HttpStatusCode.BadRequest, true), (status, text.Contains(words, StringComparison.Ordinal)));
            Assert.Equal("number", JsonNode.Parse(text)!["expected_signature"]!["properties"]!["data"]!["items"]!["items"]!["type"]!.GetValue<string>());
        }

        var swagger = JsonNode.Parse((await rig.GetAsync("iris/swagger.json")).Body)!;
        Assert.Equal("[[1,2]]", swagger["paths"]!["/score"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!["example"]!["data"]!.ToJsonString().Replace(".0", "", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.NotFound, (await rig.GetAsync("iris/swagger.json?version=2")).Status);
    }

    [Fact]
    public async Task The_descriptions_in_the_code_folder_are_answered_as_they_are()
    {
        await using var rig = await ServeAsync("def init(): pass\ndef run(raw): return raw\n", 20_000, ("swagger.json", """{"swagger":"2.0","own":true}"""));
        Assert.Equal("""{"swagger": "2.0", "own": true}""", (await rig.GetAsync("iris/swagger.json")).Body);
        Assert.Equal("""{"swagger": "2.0", "own": true}""", (await rig.GetAsync("iris/swagger.json?version=2")).Body);
    }

    [Theory]
    [InlineData("{'a': [1, float('nan')]}", "the result['a'][1] is nan")]
    [InlineData("__import__('numpy').zeros(2)", "the result is of type ndarray; use .tolist()")]
    [InlineData("[{1, 2}]", "the result[0] is of type set")]
    public async Task What_json_cannot_hold_is_an_error_that_says_where(string returned, string words)
    {
        await using var rig = await ServeAsync($"def init(): pass\ndef run(raw): return {returned}\n");
        var (status, body, answer) = await rig.PostAsync("iris/score", "");
        Assert.Equal((424, true), ((int)status, body.Contains(words, StringComparison.Ordinal)));
        Assert.Equal("True", Assert.Single(answer.Headers.GetValues("x-ms-run-function-failed")));
    }

    [Theory]
    [InlineData("sys.exit(3)")]
    [InlineData("os._exit(3)")]
    [InlineData("os.abort()")]
    public async Task A_run_that_ends_its_process_is_one_502_and_the_next_request_is_answered(string how)
    {
        await using var rig = await ServeAsync($"import os, sys\ndef init(): pass\ndef run(raw):\n    if raw == 'go': {how}\n    return raw\n");
        Assert.Equal(HttpStatusCode.BadGateway, (await rig.PostAsync("iris/score", "go")).Status);
        Assert.Equal((HttpStatusCode.OK, "\"stay\""), Two(await rig.PostAsync("iris/score", "stay")));
    }

    [Fact]
    public async Task Run_gets_the_headers_it_asks_for_and_the_parameters_of_a_get()
    {
        await using var rig = await ServeAsync("def init(): pass\ndef run(raw, request_headers): return [raw, request_headers.get('X-Own'), request_headers.get('Authorization')]\n");
        Assert.Equal((HttpStatusCode.OK, """["in", "mine", null]"""), Two(await rig.PostAsync("iris/score", "in", ScoringRig.Key, ("X-Own", "mine"))));
        Assert.Equal("""["{\"a\": 1, \"b\": [\"x\", null]}", null, null]""", (await rig.GetAsync("iris/score?a=1&b=x&b=null")).Body);
    }

    [Fact]
    public async Task Slow_senders_do_not_take_the_places_of_others()
    {
        await using var rig = await ServeAsync("def init(): pass\ndef run(raw): return raw\n");
        var slow = new List<SslStream>();
        for (var i = 0; i < 4; i++)
        {
            var socket = new TcpClient("localhost", rig.Port);
            var stream = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown?.GetCertHashString() == rig.CertificateHash);
            await stream.AuthenticateAsClientAsync("localhost");
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /iris/score HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ScoringRig.Key}\r\nContent-Length: 1000\r\n\r\nx"));
            slow.Add(stream);
        }

        Assert.Equal((HttpStatusCode.OK, "\"quick\""), Two(await rig.PostAsync("iris/score", "quick")));
        var buffer = new byte[64];
        var read = await slow[0].ReadAsync(buffer);
        Assert.StartsWith("HTTP/1.1 408", Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
        slow.ForEach(s => s.Dispose());
    }

    [Fact]
    public async Task An_init_that_raises_tells_its_own_frames_of_the_traceback()
    {
        await using var rig = new ScoringRig();
        var worker = await rig.StartWorkerAsync("def load():\n    return {}['weights']\ndef init():\n    load()\ndef run(x): return x\n", expectFailure: true);
        var told = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(worker.Folder, "failed")))!["told"]!.GetValue<string>();
        Assert.Contains("line 4, in init", told, StringComparison.Ordinal);
        Assert.EndsWith("KeyError: 'weights'\n", told, StringComparison.Ordinal);
        Assert.DoesNotContain("zaffre_serving", told, StringComparison.Ordinal);
    }

    private static (HttpStatusCode Status, string Body) Two((HttpStatusCode Status, string Body, HttpResponseMessage Answer) answer) => (answer.Status, answer.Body);
}
