using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Gateway.Onnx;

namespace Zaffre.Tests.Unit.Gateway;

/// <summary>Models through ONNX Runtime itself. What they must answer was computed in Python by torch and scikit-learn, the libraries they come from.</summary>
public sealed class OnnxModelTests
{
    [Theory]
    [InlineData("mlp")]
    [InlineData("cnn")]
    [InlineData("lstm")]
    [InlineData("attention")]
    [InlineData("towers")]
    [InlineData("logistic")]
    [InlineData("zipmap")]
    [InlineData("linear")]
    [InlineData("forest")]
    [InlineData("words")]
    [InlineData("mixed")]
    public void A_model_answers_what_its_own_library_does(string name)
    {
        using var model = OnnxModels.Load(name);
        var known = OnnxModels.Case(name);
        for (var again = 0; again < 2; again++)
        {
            OnnxModels.Same(known["outputs"], OnnxModels.Ask(model, new JsonObject { ["inputs"] = known["inputs"]!.DeepClone() }.ToJsonString()), name);
        }

        OnnxModels.Same(new JsonObject { ["predictions"] = known["outputs"]!.DeepClone() }, OnnxModels.Ask(model, new JsonObject { ["inputs"] = known["inputs"]!.DeepClone() }.ToJsonString(), invocations: true), name);
    }

    [Theory]
    [InlineData("""{"input_data":{"columns":["d","a","b","c","x"],"index":[0,1],"data":[[4,1,2,3,9],[8,5,6,7,9]]}}""")]
    [InlineData("""{"dataframe_split":{"data":[[4,1,2,3],[8,5,6,7]],"columns":["d","a","b","c"]},"params":{}}""")]
    [InlineData("""{"dataframe_records":[{"d":4,"a":1,"b":2,"c":3},{"a":5,"b":6,"c":7,"d":8}]}""")]
    [InlineData("""{"instances":[{"a":1,"b":2,"c":3,"d":4},{"a":5,"b":6,"c":7,"d":8,"e":[1]}]}""")]
    [InlineData("""{"instances":[[1,2,3,4],[5,6,7,8]]}""")]
    [InlineData("""{"inputs":{"d":[4,8],"a":[1,5],"b":[2,6],"c":[3,7]}}""")]
    [InlineData("""{"input_data":[[1,2,3,4],[5,6,7,8]]}""")]
    public void Every_form_fills_the_columns_of_the_signature_by_name_or_position(string body)
    {
        using var named = OnnxModels.Load("linear", "a", "b", "c", "d");
        using var plain = OnnxModels.Load("linear");
        OnnxModels.Same(OnnxModels.Ask(plain, """{"inputs":{"x":[[1,2,3,4],[5,6,7,8]]}}"""), OnnxModels.Ask(named, body), body);
    }

    [Fact]
    public void Several_inputs_are_filled_by_name_from_tables_and_records()
    {
        using var model = OnnxModels.Load("mixed");
        const string Expected = """{"chosen":[1.5,7],"dropped":[false,true],"half":[1.5,7]}""";
        foreach (var body in (string[])["""{"input_data":{"columns":["keep","count","weight"],"data":[[true,1,0.5],[false,2,7]]}}""", """{"dataframe_records":[{"keep":true,"count":1,"weight":0.5},{"weight":7,"keep":false,"count":2}]}"""])
        {
            OnnxModels.Same(JsonNode.Parse(Expected), OnnxModels.Ask(model, body), body);
        }
    }

    [Fact]
    public void What_is_no_number_goes_in_as_null_or_by_name_and_comes_back_as_null()
    {
        using var model = OnnxModels.Load("linear");
        OnnxModels.Same(JsonNode.Parse("""{"y":[[null],[null]]}"""), OnnxModels.Ask(model, """{"inputs":[[null,1,1,1],["Infinity",1,1,1]]}"""), "");
    }

    [Theory]
    [InlineData("mlp", "{", "not valid JSON")]
    [InlineData("mlp", """{"inputs":[[NaN]]}""", "\"NaN\"")]
    [InlineData("mlp", "[]", "must be a JSON object")]
    [InlineData("mlp", """{"rows":1}""", "it has only rows")]
    [InlineData("linear", """{"inputs":[[1,2,3,4]],"instances":[]}""", "it has several")]
    [InlineData("mlp", """{"inputs":[[1,2,3]]}""", "must have the shape (-1, 30); the one sent has (1, 3)")]
    [InlineData("mlp", """{"inputs":[[1,2],[3]]}""", "not rectangular")]
    [InlineData("mlp", """{"inputs":[[1],2]}""", "not rectangular")]
    [InlineData("mlp", """{"inputs":[["tall"]]}""", "must have the type float32; a value sent is \"tall\"")]
    [InlineData("mlp", """{"inputs":[[true]]}""", "must have the type float32")]
    [InlineData("mlp", """{"inputs":{"z":[[1]]}}""", "Model is missing inputs ['x']. Note that there were extra inputs: ['z'].")]
    [InlineData("towers", """{"inputs":{"item":[1.5],"features":[[1,2,3]]}}""", "tensor 'item' must have the type int64; a value sent is 1.5")]
    [InlineData("towers", """{"inputs":[[1]]}""", "by name: send an object")]
    [InlineData("mixed", """{"inputs":{"count":[3000000000],"weight":[1],"keep":[true]}}""", "must have the type int32")]
    [InlineData("mixed", """{"inputs":{"count":[1],"weight":[1],"keep":[1]}}""", "must have the type bool")]
    [InlineData("words", """{"inputs":{"word":["a\u0000b"]}}""", "a zero in it")]
    [InlineData("words", """{"inputs":{"word":[null]}}""", "must have the type str; a value sent is null")]
    [InlineData("words", """{"instances":[[{"deep":1}]]}""", "an object was sent in it")]
    public void Input_that_does_not_fit_is_refused_by_what_is_wrong_with_it(string name, string body, string words)
    {
        using var model = OnnxModels.Load(name);
        Assert.Contains(words, OnnxModels.Refusal(model, body), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_over_its_time_is_ended_and_the_next_one_is_not()
    {
        using var model = OnnxModels.Load("count");
        var slot = model.Rent();
        PayloadReader.Read("""{"inputs":[4000000000000]}"""u8, slot);
        Assert.Throws<OrtException>(() => slot.Run(100));
        Assert.True(slot.HasTimedOut);
        model.Return(slot);
        OnnxModels.Same(JsonNode.Parse("""{"y":[5]}"""), OnnxModels.Ask(model, """{"inputs":[5]}"""), "count");
    }

    [Fact]
    public void Weights_beside_the_model_are_read_and_nothing_outside_of_its_folder()
    {
        using var folder = new OnnxFolder();
        Assert.Null(OnnxFile.Check(OnnxModels.File("external/model")));
        using var model = OnnxModels.Load("external/model");
        OnnxModels.Same(JsonNode.Parse("""{"y":[[2,4]]}"""), OnnxModels.Ask(model, """{"inputs":[[1,1]]}"""), "external");
        var escaping = OnnxFile.Check(OnnxModels.File("escaping/model"));
        Assert.Equal(("ModelFilesMissing", true), (escaping!.Value.Code, escaping.Value.Message.Contains("'../weights.bin', outside of the model's folder", StringComparison.Ordinal)));
        var alone = folder.Copy("external/model");
        Assert.Contains("'weights.bin', which the model's folder lacks", OnnxFile.Check(alone)!.Value.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_are_no_models_and_custom_operators_are_refused_with_the_librarys_message()
    {
        using var folder = new OnnxFolder();
        var cut = folder.Write("cut.onnx", System.IO.File.ReadAllBytes(OnnxModels.File("cnn"))[..1000]);
        Assert.Equal(7, Assert.Throws<OrtException>(() => OnnxModel.Load(OrtApi.Load(), cut, ("cut", "1"), 1)).Code);
        Assert.Contains("Teleport", Assert.Throws<OrtException>(() => OnnxModels.Load("custom")).Message, StringComparison.Ordinal);
        Assert.Contains("is empty", OnnxFile.Check(folder.Write("none.onnx", []))!.Value.Message, StringComparison.Ordinal);
        Assert.Contains("damaged or no ONNX model", OnnxFile.Check(folder.Write("text.onnx", Encoding.UTF8.GetBytes("not a model")))!.Value.Message, StringComparison.Ordinal);
        Assert.NotNull(OnnxFile.Check(folder.Write("hidden.onnx", [0x0B, 0x0C, .. System.IO.File.ReadAllBytes(OnnxModels.File("escaping/model"))])));
    }

    [Theory]
    [InlineData("""{"inputs":[[1,2,3,4]]}""")]
    [InlineData("""{"input_data":{"columns":["d","a","b","c"],"data":[[4,1,2,3]]}}""")]
    public void A_request_leaves_nothing_to_collect(string body)
    {
        using var model = OnnxModels.Load("linear", "a", "b", "c", "d");
        var bytes = Encoding.UTF8.GetBytes(body);
        void Once()
        {
            var slot = model.Rent();
            PayloadReader.Read(bytes, slot);
            slot.Run(60_000);
            AnswerWriter.Write(slot, invocations: false);
            model.Return(slot);
        }

        for (var i = 0; i < 200; i++)
        {
            Once();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Once();
        }

        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / 1000;
        Assert.True(each <= 256, $"{each} bytes a request");
    }

    [Fact]
    public void Requests_of_many_threads_get_their_own_answers()
    {
        using var model = OnnxModels.Load("linear");
        var expected = Enumerable.Range(0, 8).Select(i => OnnxModels.Ask(model, $$"""{"inputs":[[{{i}},1,1,1]]}""").ToJsonString()).ToList();
        Parallel.For(0, 2000, i => Assert.Equal(expected[i % 8], OnnxModels.Ask(model, $$"""{"inputs":[[{{i % 8}},1,1,1]]}""").ToJsonString()));
    }

    private sealed class OnnxFolder : IDisposable
    {
        private readonly string root = Directory.CreateTempSubdirectory("zaffre-onnx-").FullName;

        public string Write(string name, byte[] content)
        {
            System.IO.File.WriteAllBytes(Path.Combine(root, name), content);
            return Path.Combine(root, name);
        }

        public string Copy(string name) => Write("model.onnx", System.IO.File.ReadAllBytes(OnnxModels.File(name)));

        public void Dispose() => Directory.Delete(root, recursive: true);
    }
}
