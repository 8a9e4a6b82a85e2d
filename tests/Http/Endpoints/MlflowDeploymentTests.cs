using System.Net;
using System.Text.Json.Nodes;

namespace Zaffre.Tests.Http.Endpoints;

/// <summary>MLflow models without code, through the module and a real gateway.</summary>
public sealed class MlflowDeploymentTests
{
    private const string Fit = """"
        import json, os, pickle, pandas
        from sklearn.linear_model import LogisticRegression
        table = pandas.DataFrame({"height": [1.0, 2.0, 8.0, 9.0], "legs": [2, 2, 4, 4]})
        fitted = LogisticRegression().fit(table, ["bird", "bird", "cow", "cow"])
        with open("model.pkl", "wb") as stream: pickle.dump(fitted, stream)
        import sklearn
        with open("MLmodel", "w") as stream: stream.write(f"""
        artifact_path: model
        flavors:
          python_function: {{env: {{conda: conda.yaml}}, loader_module: mlflow.sklearn, model_path: model.pkl, predict_fn: predict, python_version: 3.8.5}}
          sklearn: {{code: null, pickled_model: model.pkl, serialization_format: cloudpickle, sklearn_version: {sklearn.__version__}}}
        mlflow_version: 2.17.3
        signature:
          inputs: '[{{"type":"double","name":"height","required":true}}, {{"type":"long","name":
            "legs","required":true}}]'
          outputs: '[{{"type":"string"}}]'
        """)
        """";

    [Fact]
    public async Task A_model_without_code_is_served_in_both_dialects_and_the_deployment_states_its_runtime()
    {
        await using var host = await ServingHost.StartAsync();
        await host.MlflowModelAsync("animals", Fit);
        var ended = await host.DeployModelAsync("zoo", "blue", "animals");
        Assert.True(ended["status"]!.GetValue<string>() == "Succeeded", ended.ToJsonString());
        var deployment = (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/zoo/deployments/blue")).Body;
        Assert.Equal("mlflow/sklearn", deployment["properties"]!["properties"]!["zaffre.runtime"]!.GetValue<string>());
        Assert.Contains("chosen by the flavors in MLmodel", await host.LogAsync("zoo", "blue", "StorageInitializer"), StringComparison.Ordinal);
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        const string Split = """{"columns":["legs","height"],"data":[[2,1.5],[4,8]]}""";
        Assert.Equal((HttpStatusCode.OK, """["bird", "cow"]"""), await host.ScoreAsync("zoo", key, $$"""{"input_data":{{Split}}}"""));
        Assert.Equal((HttpStatusCode.OK, """{"predictions": ["bird", "cow"]}"""), await host.ScoreAsync("zoo", key, $$"""{"dataframe_split":{{Split}}}""", "invocations"));
        Assert.Equal((HttpStatusCode.OK, """{"predictions": ["cow"]}"""), await host.ScoreAsync("zoo", key, "legs,height\n4,9", "invocations", "text/csv"));
        Assert.Equal((HttpStatusCode.OK, "\n"), await host.ReadAsync("zoo", key, "ping"));
        Assert.Equal((HttpStatusCode.OK, "2.17.3"), await host.ReadAsync("zoo", key, "version"));
        var swagger = JsonNode.Parse((await host.ReadAsync("zoo", key, "swagger.json")).Body)!;
        Assert.NotNull(swagger["paths"]!["/invocations"]);
        Assert.Contains("height", swagger["paths"]!["/score"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_that_does_not_fit_is_400_with_the_expected_signature_and_no_error_of_the_model()
    {
        await using var host = await ServingHost.StartAsync();
        await host.MlflowModelAsync("animals", Fit);
        await host.DeployModelAsync("zoo", "blue", "animals");
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        var (status, body) = await host.ScoreAsync("zoo", key, """{"input_data":{"columns":["height","wings"],"data":[[1,2]]}}""");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        var refused = JsonNode.Parse(body)!;
        Assert.Equal("Model is missing inputs ['legs']. Note that there were extra inputs: ['wings'].", refused["error"]!["message"]!.GetValue<string>());
        Assert.Equal("legs", refused["expected_signature"]!["inputs"]![1]!["name"]!.GetValue<string>());
        var inMlflow = await host.ScoreAsync("zoo", key, """{"inputs":{"height":["tall"],"legs":[2]}}""", "invocations");
        Assert.Equal(HttpStatusCode.BadRequest, inMlflow.Status);
        Assert.Equal("INVALID_PARAMETER_VALUE", JsonNode.Parse(inMlflow.Body)!["error_code"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await host.ScoreAsync("zoo", key, "x", "invocations", "text/plain")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await host.ScoreAsync("zoo", key, "{")).Status);
    }

    [Theory]
    [InlineData("rm model.pkl", "ModelFilesMissing", "'model.pkl', which the model's folder lacks")]
    [InlineData("printf 'cnowhere\\nGone\\n.' > model.pkl", "ModelLoadFailed", "written with Python 3.8.5, scikit-learn")]
    [InlineData("sed -i 's/sklearn:/spark:/;s/python_function:/mleap:/' MLmodel", "ModelFlavorNotSupported", "has the flavors mleap, spark")]
    [InlineData("echo ']' >> MLmodel", "InvalidYaml", "line")]
    public async Task A_model_that_cannot_be_loaded_fails_the_deployment_by_name(string damage, string code, string words)
    {
        await using var host = await ServingHost.StartAsync();
        await host.MlflowModelAsync("animals", Fit, damage);
        var ended = await host.DeployModelAsync("zoo", "blue", "animals");
        Assert.Equal((code, "Failed"), (ended["error"]?["code"]?.GetValue<string>(), ended["status"]!.GetValue<string>()));
        Assert.Contains(words, ended["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        await host.Launcher.LeavesAsync(0);
    }

    [Fact]
    public async Task Other_models_need_code_and_scripts_have_no_routes_of_mlflow()
    {
        await using var host = await ServingHost.StartAsync();
        host.Model("plain", "text");
        host.Code("scorer", "def init(): pass\ndef run(raw): return raw\n");
        await host.TrafficAsync("zoo", "{}");
        var refused = await host.PutModelAsync("zoo", "blue", "plain");
        Assert.Equal((HttpStatusCode.BadRequest, "OperationNotSupported"), (refused.Status, refused.Body["error"]!["code"]!.GetValue<string>()));
        Assert.Contains("custom_model", refused.Body["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        await host.DeployAsync("zoo", "blue", "scorer");
        await host.TrafficAsync("zoo", """{"blue":100}""");
        var key = await host.KeyAsync("zoo");
        var invoked = await host.ScoreAsync("zoo", key, "{}", "invocations");
        Assert.Equal((HttpStatusCode.NotFound, true), (invoked.Status, invoked.Body.Contains("runs a scoring script", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.NotFound, (await host.ReadAsync("zoo", key, "version")).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.ReadAsync("zoo", key, "ping")).Status);
        Assert.Equal("score.py", (await host.ArmAsync(HttpMethod.Get, "onlineEndpoints/zoo/deployments/blue")).Body["properties"]!["properties"]!["zaffre.runtime"]!.GetValue<string>());
    }
}
