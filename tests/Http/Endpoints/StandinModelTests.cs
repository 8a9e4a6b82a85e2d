using System.Net;
using System.Text.Json.Nodes;

namespace Zaffre.Tests.Http.Endpoints;

/// <summary>Models that the mlflow stand-in wrote, served without code and without the real mlflow.</summary>
public sealed class StandinModelTests
{
    private const string Save = """
        import sys
        sys.path.append(STANDINS)
        import mlflow.pyfunc, mlflow.pytorch, mlflow.sklearn, mlflow.xgboost, numpy, pandas, torch, xgboost
        from mlflow.models import infer_signature
        from sklearn.base import BaseEstimator, ClassifierMixin
        table, kinds = pandas.DataFrame({"height": [1.0, 2.0, 8.0, 9.0], "legs": [2, 2, 4, 4]}), ["bird", "bird", "cow", "cow"]

        class ByLegs(ClassifierMixin, BaseEstimator):
            def fit(self, X, y):
                self.kinds_ = dict(zip(X["legs"], y))
                return self
            def predict(self, X):
                return numpy.array([self.kinds_[n] for n in X["legs"]])

        class Words(mlflow.pyfunc.PythonModel):
            def load_context(self, context):
                self.words = open(context.artifacts["words"]).read().split()
            def predict(self, context, model_input, params=None):
                return [self.words[n] + params["end"] for n in model_input["n"]]

        open("words.txt", "w").write("zero one two")
        model = ByLegs().fit(table, kinds)
        mlflow.sklearn.save_model(model, "../../animals/model", signature=infer_signature(table, model.predict(table)), input_example=table)
        mlflow.xgboost.save_model(xgboost.XGBClassifier(n_estimators=2, min_child_weight=0).fit(table, [0, 0, 1, 1]), "../../trees/model", model_format="json")
        mlflow.pytorch.save_model(torch.nn.ReLU(), "../../nets/model", signature=infer_signature(numpy.zeros((1, 2), "float32")))
        mlflow.pyfunc.save_model(
            "../../words/model", python_model=Words(), artifacts={"words": "words.txt"}, signature=infer_signature(pandas.DataFrame({"n": [1]}), ["a"], {"end": "!"}))
        """;

    [Fact]
    public async Task Models_of_the_stand_in_are_served_with_the_classes_of_their_scripts()
    {
        await using var host = await ServingHost.StartAsync();
        await host.MlflowModelAsync("saved", Save.Replace("STANDINS", $"'{Repository.Python}/standins'", StringComparison.Ordinal));
        (string Model, string Flavor, string Body, string Answer)[] wanted =
        [
            ("animals", "sklearn", """{"dataframe_split":{"columns":["height","legs"],"data":[[1,2],[8,4]]}}""", """["bird", "cow"]"""),
            ("trees", "xgboost", """{"dataframe_split":{"columns":["height","legs"],"data":[[1,2],[8,4]]}}""", "[0, 1]"),
            ("nets", "pytorch", """{"inputs":[[1.5,-2]]}""", "[[1.5, 0.0]]"),
            ("words", "python_function", """{"dataframe_records":[{"n":2}],"params":{"end":"?"}}""", """["two?"]"""),
        ];
        foreach (var (model, flavor, body, answer) in wanted)
        {
            var ended = await host.DeployModelAsync(model, "blue", model);
            Assert.True(ended["status"]!.GetValue<string>() == "Succeeded", ended.ToJsonString());
            var deployment = (await host.ArmAsync(HttpMethod.Get, $"onlineEndpoints/{model}/deployments/blue")).Body;
            Assert.Equal($"mlflow/{flavor}", deployment["properties"]!["properties"]!["zaffre.runtime"]!.GetValue<string>());
            await host.TrafficAsync(model, """{"blue":100}""");
            Assert.Equal((HttpStatusCode.OK, answer), await host.ScoreAsync(model, await host.KeyAsync(model), body));
        }

        var refused = await host.ScoreAsync("words", await host.KeyAsync("words"), """{"dataframe_records":[{"m":2}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains("missing inputs ['n']", JsonNode.Parse(refused.Body)!["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }
}
