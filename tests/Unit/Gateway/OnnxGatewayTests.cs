using System.Net;
using System.Security.Cryptography;
using System.Text;
using Zaffre.Gateway;
using Zaffre.Gateway.Onnx;

namespace Zaffre.Tests.Unit.Gateway;

/// <summary>ONNX models of a gateway's table: loaded without a server, again after a restart, and not when they took the process down too often.</summary>
[Collection(Alone.Name)]
public sealed class OnnxGatewayTests
{
    private static readonly Dictionary<string, int> All = new(StringComparer.Ordinal) { ["blue"] = 100 };

    [Fact]
    public async Task A_gateway_that_starts_again_serves_the_models_of_its_table_without_a_server()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("sums", All, Blue(Folder(rig, "1", "linear")));
        var first = await rig.PostAsync("sums/score", """{"inputs":[[1,2,3,4]]}""");
        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal("False", Assert.Single(first.Answer.Headers.GetValues("x-ms-run-function-failed")));
        await rig.StopGatewayAsync();
        await rig.StartGatewayAsync();
        var again = await rig.PostAsync("sums/score", """{"inputs":[[1,2,3,4]]}""");
        Assert.Equal((first.Status, first.Body), (again.Status, again.Body));
        using var control = new GatewayClient(rig.Folder);
        var counters = Assert.Single(await control.CountersAsync(CancellationToken.None));
        Assert.Equal((1, 0, 2, 1), (counters.Succeeded, counters.Pending, counters.Places, counters.Connections));
        Assert.Empty(await control.RefusedAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_generation_that_is_gone_is_refused_and_its_requests_are_503_while_others_serve()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        await rig.PushAsync("sums", new Dictionary<string, int>(StringComparer.Ordinal) { ["blue"] = 100, ["green"] = 0 }, Blue(Folder(rig, "1", "linear")), Blue(Path.Combine(rig.Root, "none")) with { Name = "green", RequestTimeoutMs = 2000 });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await rig.PostAsync("sums/score", "{}", ScoringRig.Key, ("azureml-model-deployment", "green"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await rig.PostAsync("sums/score", """{"inputs":[[1,2,3,4]]}""")).Status);
        using var control = new GatewayClient(rig.Folder);
        Assert.Equal("ModelFilesMissing", Assert.Single(await control.RefusedAsync(CancellationToken.None)).Code);
    }

    [Fact]
    public async Task A_model_whose_code_was_at_work_at_three_deaths_in_a_row_is_not_loaded_again()
    {
        await using var rig = new ScoringRig();
        await rig.StartGatewayAsync();
        var folder = Folder(rig, "1", "linear");
        var page = rig.Data.Path("gateway", "models", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder)))[..24]);
        using var control = new GatewayClient(rig.Folder);
        for (var death = 0; death < OnnxGuard.MostDeaths; death++)
        {
            Assert.Null((await control.PrepareAsync(Blue(folder).Onnx!, CancellationToken.None)).Code);

            // What a process that dies in native code leaves.
            using var guard = new OnnxGuard(page);
            guard.Enter();
        }

        var answer = await control.PrepareAsync(Blue(folder).Onnx!, CancellationToken.None);
        Assert.Equal(("ModelCrashed", true), (answer.Code, answer.Message!.Contains("ended the gateway 3 times in a row", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_hundred_answers_between_two_deaths_make_them_count_anew()
    {
        var page = Path.Combine(Directory.CreateTempSubdirectory("zaffre-guard-").FullName, "page");
        for (var death = 0; death < 5; death++)
        {
            using var guard = new OnnxGuard(page);
            Assert.False(guard.IsBlocked);
            for (var i = 0; i < 100; i++)
            {
                guard.Enter();
                guard.Leave(answered: true);
            }

            guard.Enter();
        }

        Directory.Delete(Path.GetDirectoryName(page)!, recursive: true);
    }

    [Fact]
    public void Without_the_library_the_remedy_is_said_and_a_file_that_is_not_the_published_one_is_not_loaded()
    {
        var before = Environment.GetEnvironmentVariable("ZAFFRE_ONNXRUNTIME");
        try
        {
            Environment.SetEnvironmentVariable("ZAFFRE_ONNXRUNTIME", "/nowhere/libonnxruntime.so.1");
            Assert.Contains("run './zaffre onnxruntime'", OnnxRuntimeLibrary.Missing, StringComparison.Ordinal);
            Environment.SetEnvironmentVariable("ZAFFRE_ONNXRUNTIME", Repository.Path("README.md"));
            Assert.Contains("its SHA-256 differs", Assert.Throws<OrtException>(() => OrtApi.Verified()).Message, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("ZAFFRE_ONNXRUNTIME", before);
        }
    }

    [Fact]
    public async Task Repositories_that_are_none_and_models_for_other_backends_are_refused_by_name()
    {
        await using var rig = new ScoringRig();
        var root = Directory.CreateDirectory(Path.Combine(rig.Root, "repository")).FullName;
        Assert.Contains("NAME/1/model.onnx", Assert.Throws<ModelException>(() => TritonRepository.Find(root)).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(root, "deep", "2"));
        Assert.Contains("Version 2 of model deep has no model.onnx", Assert.Throws<ModelException>(() => TritonRepository.Find(root)).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(root, "deep", "config.pbtxt"), "platform: \"tensorrt_plan\"");
        Assert.Contains("for 'tensorrt_plan'", Assert.Throws<ModelException>(() => TritonRepository.Find(root)).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(root, "deep", "config.pbtxt"), "input [ { name: \"x\"");
        Assert.Equal("InvalidModel", Assert.Throws<ModelException>(() => TritonRepository.Find(root)).Code);
    }

    private static string Folder(ScoringRig rig, string generation, string model)
    {
        var folder = Directory.CreateDirectory(Path.Combine(rig.Root, $"model-{generation}")).FullName;
        File.Copy(OnnxModels.File(model), Path.Combine(folder, "model.onnx"));
        return folder;
    }

    private static DeploymentRoute Blue(string folder) => new("blue") { Onnx = new OnnxRoute(folder) { File = "model.onnx", Model = "sums" } };
}
