using System.Net;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

public sealed class ExperimentTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    [Fact]
    public async Task Experiment_0_is_Default_from_the_start()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = (await mlflow.GetAsync("experiments/get?experiment_id=0")).GetProperty("experiment");
        Assert.Equal("Default", experiment.GetProperty("name").GetString());
        await mlflow.FailsAsync("experiments/delete", new { experiment_id = "0" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Cannot delete the default experiment");
    }

    [Fact]
    public async Task An_experiment_has_every_field_of_the_reference()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var name = Guid.NewGuid().ToString();
        var id = (await mlflow.PostAsync("experiments/create", new { name, tags = new[] { new { key = "k", value = "v" } } })).GetProperty("experiment_id").GetString();
        var experiment = (await mlflow.GetAsync("experiments/get-by-name?experiment_name=" + name)).GetProperty("experiment");
        Assert.Equal(
            ["artifact_location", "creation_time", "experiment_id", "last_update_time", "lifecycle_stage", "name", "tags"],
            experiment.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal(id, experiment.GetProperty("experiment_id").GetString());
        Assert.Equal("mlflow-artifacts:/" + id, experiment.GetProperty("artifact_location").GetString());
        Assert.Equal("active", experiment.GetProperty("lifecycle_stage").GetString());
        Assert.Equal(JsonValueKind.Number, experiment.GetProperty("creation_time").ValueKind);
        Assert.Equal("""[{"key":"k","value":"v"}]""", experiment.GetProperty("tags").GetRawText());
    }

    [Fact]
    public async Task A_name_is_taken_by_deleted_experiments_too_and_restoring_brings_the_runs_back()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var id = await mlflow.ExperimentAsync();
        var name = (await mlflow.GetAsync("experiments/get?experiment_id=" + id)).GetProperty("experiment").GetProperty("name").GetString()!;
        var run = await mlflow.RunAsync(id);
        await mlflow.PostAsync("experiments/delete", new { experiment_id = id });
        Assert.Equal("deleted", (await mlflow.RunDataAsync(run)).GetProperty("info").GetProperty("lifecycle_stage").GetString());
        await mlflow.FailsAsync("experiments/create", new { name }, HttpStatusCode.BadRequest, "RESOURCE_ALREADY_EXISTS", "already exists in deleted state");
        await mlflow.FailsAsync("runs/create", new { experiment_id = id }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "must be in the 'active' state. Current state is deleted.");
        await mlflow.PostAsync("experiments/restore", new { experiment_id = id });
        Assert.Equal("active", (await mlflow.RunDataAsync(run)).GetProperty("info").GetProperty("lifecycle_stage").GetString());
        await mlflow.FailsAsync("experiments/create", new { name }, HttpStatusCode.BadRequest, "RESOURCE_ALREADY_EXISTS", $"Experiment '{name}' already exists.");
    }

    [Fact]
    public async Task Experiments_are_renamed_tagged_and_searched_page_by_page()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var mark = Guid.NewGuid().ToString("N");
        for (var i = 0; i < 5; i++)
        {
            await mlflow.PostAsync("experiments/create", new { name = $"{mark}-{i}" });
        }

        var names = new List<string>();
        string? token = null;
        do
        {
            var page = await mlflow.PostAsync("experiments/search", new { filter = $"name LIKE '{mark}%'", order_by = new[] { "name DESC" }, max_results = 2, page_token = token });
            names.AddRange(page.GetProperty("experiments").EnumerateArray().Select(e => e.GetProperty("name").GetString()!));
            token = page.TryGetProperty("next_page_token", out var next) ? next.GetString() : null;
        }
        while (token is not null);
        Assert.Equal(["4", "3", "2", "1", "0"], names.Select(name => name[(mark.Length + 1)..]));

        var id = (await mlflow.GetAsync($"experiments/get-by-name?experiment_name={mark}-0")).GetProperty("experiment").GetProperty("experiment_id").GetString();
        await mlflow.PostAsync("experiments/update", new { experiment_id = id, new_name = mark + "-new" });
        await mlflow.PostAsync("experiments/set-experiment-tag", new { experiment_id = id, key = "k", value = mark });
        var found = await mlflow.GetAsync($"experiments/search?max_results=10&filter=" + Uri.EscapeDataString($"tags.k = '{mark}'"));
        Assert.Equal(mark + "-new", Assert.Single(found.GetProperty("experiments").EnumerateArray()).GetProperty("name").GetString());
        await mlflow.PostAsync("experiments/delete-experiment-tag", new { experiment_id = id, key = "k" });
        await mlflow.FailsAsync("experiments/delete-experiment-tag", new { experiment_id = id, key = "k" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "No tag with name: k");
    }

    [Theory]
    [InlineData("GET", "experiments/get?experiment_id=99999", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=99999 exists")]
    [InlineData("GET", "experiments/get?experiment_id=x;y", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=x;y exists")]
    [InlineData("GET", "experiments/get", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'experiment_id'.")]
    [InlineData("GET", "experiments/get-by-name?experiment_name=nope", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Could not find experiment with name 'nope'")]
    [InlineData("POST", "experiments/create", "{}", HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'name'. See the API docs for more information about request parameters.")]
    [InlineData("POST", "experiments/create", "{\"name\":{}}", HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid value {} for parameter 'name' supplied")]
    [InlineData("POST", "experiments/create", "{\"name\":", HttpStatusCode.BadRequest, "BAD_REQUEST", "not valid JSON")]
    [InlineData("POST", "experiments/create", "[]", HttpStatusCode.BadRequest, "BAD_REQUEST", "must be a JSON object")]
    [InlineData("POST", "experiments/create", "{\"name\":\"\\ud800\"}", HttpStatusCode.BadRequest, "BAD_REQUEST", "half of a surrogate pair")]
    [InlineData("POST", "experiments/create", "{\"name\":\"n\",\"artifact_location\":\"s3://b\"}", HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "artifact_location")]
    [InlineData("POST", "experiments/search", "{\"max_results\":60000}", HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid value 60000 for parameter 'max_results' supplied")]
    [InlineData("POST", "experiments/search", "{\"filter\":\"foo = 'x'\"}", HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid attribute key 'foo' specified. Valid keys are")]
    [InlineData("POST", "experiments/search", "{\"page_token\":\"!!\"}", HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "for parameter 'page_token' supplied")]
    [InlineData("POST", "webhooks", "{}", HttpStatusCode.NotFound, "ENDPOINT_NOT_FOUND", "webhooks")]
    [InlineData("GET", "nothing/here", null, HttpStatusCode.NotFound, "ENDPOINT_NOT_FOUND", "GET /api/2.0/mlflow/nothing/here")]
    [InlineData("GET", "runs/create", null, HttpStatusCode.NotFound, "ENDPOINT_NOT_FOUND", "GET /api/2.0/mlflow/runs/create")]
    public async Task What_is_wrong_is_said_in_MLflows_words(string method, string path, string? body, HttpStatusCode status, string code, string message)
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await mlflow.FailsAsync(path, body, status, code, message, method);
    }

    [Fact]
    public async Task Without_a_token_the_refusal_has_MLflows_shape_too()
    {
        using var nobody = new Mlflow(host.Anonymous());
        await nobody.FailsAsync("experiments/get?experiment_id=0", null, HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "Authorization", "GET");
        using var powerless = new Mlflow(host.With(await Identity.Tokens.PrincipalAsync(host, null, "/subscriptions/" + Mlflow.Default(host).SubscriptionId)));
        await powerless.FailsAsync("experiments/get?experiment_id=0", null, HttpStatusCode.Forbidden, "PERMISSION_DENIED", "workspaces/experiments/read", "GET");
    }
}
