using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Tests.Http.Tracking;

public sealed class RegistryTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Proxy = "/api/2.0/mlflow-artifacts/artifacts";

    [Fact]
    public async Task A_model_and_its_versions_have_every_field_of_the_reference()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var model = (await mlflow.PostAsync("registered-models/create", new { name = "fields", description = "d", tags = new[] { new { key = "t", value = "1" } } })).GetProperty("registered_model");
        Assert.Equal(["creation_timestamp", "description", "last_updated_timestamp", "name", "tags", "user_id"], Members(model));
        Assert.Equal(("fields", "d", """[{"key":"t","value":"1"}]"""), (Text(model, "name"), Text(model, "description"), model.GetProperty("tags").GetRawText()));

        var run = await LogAsync(mlflow);
        var source = $"mlflow-artifacts:/0/{run}/artifacts/model";
        var version = (await mlflow.PostAsync("model-versions/create", new { name = "fields", source, run_id = run, run_link = "l", description = "v", tags = new[] { new { key = "a", value = "b" } } })).GetProperty("model_version");
        Assert.Equal(
            ["creation_timestamp", "current_stage", "description", "last_updated_timestamp", "name", "run_id", "run_link", "source", "status", "tags", "user_id", "version"], Members(version));
        Assert.Equal(
            ("fields", "1", "None", "v", source, run, "READY", "l"),
            (Text(version, "name"), Text(version, "version"), Text(version, "current_stage"), Text(version, "description"), Text(version, "source"), Text(version, "run_id"), Text(version, "status"), Text(version, "run_link")));
        Assert.Equal(version.GetRawText(), (await mlflow.GetAsync("model-versions/get?name=fields&version=1")).GetProperty("model_version").GetRawText());
        Assert.Equal("2", Text((await mlflow.PostAsync("model-versions/create", new { name = "fields", source = $"runs:/{run}/model" })).GetProperty("model_version"), "version"));

        var shown = (await mlflow.GetAsync("registered-models/get?name=fields")).GetProperty("registered_model");
        Assert.Equal("2", Text(Assert.Single(shown.GetProperty("latest_versions").EnumerateArray()), "version"));
    }

    [Fact]
    public async Task What_MLflow_registers_is_an_asset_and_what_ARM_puts_is_a_registered_model()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var arm = await host.OwnerAsync();
        var run = await LogAsync(mlflow);
        await mlflow.PostAsync("registered-models/create", new { name = "shared" });
        await mlflow.PostAsync("model-versions/create", new { name = "shared", source = $"runs:/{run}/model", run_id = run, tags = new[] { new { key = "a", value = "b" } } });
        await mlflow.PostAsync("model-versions/transition-stage", new { name = "shared", version = "1", stage = "staging", archive_existing_versions = false });
        var asset = (await ArmAsync(arm, "models/shared/versions/1"))["properties"]!;
        Assert.Equal(("mlflow_model", run, "b", "Staging"), ((string?)asset["modelType"], (string?)asset["jobName"], (string?)asset["tags"]!["a"], (string?)asset["stage"]));

        asset["description"] = "from ARM";
        asset["tags"]!["c"] = "d";
        await PutAsync(arm, "models/shared/versions/1", asset);
        var version = (await mlflow.GetAsync("model-versions/get?name=shared&version=1")).GetProperty("model_version");
        Assert.Equal(("from ARM", $"runs:/{run}/model"), (Text(version, "description"), Text(version, "source")));
        Assert.Equal("""[{"key":"a","value":"b"},{"key":"c","value":"d"}]""", version.GetProperty("tags").GetRawText());

        await PutAsync(arm, "models/from-arm/versions/beta", new JsonObject { ["modelUri"] = "azureml://datastores/workspaceblobstore/paths/m", ["modelType"] = "custom_model", ["stage"] = "Development" });
        var made = (await mlflow.GetAsync("model-versions/get?name=from-arm&version=beta")).GetProperty("model_version");
        Assert.Equal("Development", Text(made, "current_stage"));
        Assert.Equal("from-arm", Text(Assert.Single((await mlflow.GetAsync("registered-models/search?filter=name%3D'from-arm'")).GetProperty("registered_models").EnumerateArray()), "name"));
        await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", "registered-models/delete", new { name = "from-arm" });
        using var gone = await arm.GetAsync(Arm("models/from-arm/versions/beta"));
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        using var delete = await arm.DeleteAsync(Arm("models/shared/versions/1"));
        await mlflow.FailsAsync("model-versions/get?name=shared&version=1", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Model Version (name=shared, version=1) not found", "GET");
    }

    [Fact]
    public async Task Stages_move_and_archive_what_was_there()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await ModelAsync(mlflow, "staged", 3);
        await mlflow.PostAsync("model-versions/transition-stage", new { name = "staged", version = "1", stage = "Production", archive_existing_versions = false });
        var moved = await mlflow.PostAsync("model-versions/transition-stage", new { name = "staged", version = "2", stage = "Production", archive_existing_versions = true });
        Assert.Equal("Production", Text(moved.GetProperty("model_version"), "current_stage"));
        var latest = await mlflow.GetAsync("registered-models/get-latest-versions?name=staged");
        Assert.Equal(["1 Archived", "2 Production", "3 None"], latest.GetProperty("model_versions").EnumerateArray().Select(v => $"{Text(v, "version")} {Text(v, "current_stage")}"));
        latest = await mlflow.PostAsync("registered-models/get-latest-versions", new { name = "staged", stages = new[] { "production" } });
        Assert.Equal("2", Text(Assert.Single(latest.GetProperty("model_versions").EnumerateArray()), "version"));
        await mlflow.FailsAsync("model-versions/transition-stage", new { name = "staged", version = "1", stage = "Gone" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid Model Version stage: Gone. Value must be one of None, Staging, Production, Archived.");
        await mlflow.FailsAsync("model-versions/transition-stage", new { name = "staged", version = "1", stage = "None", archive_existing_versions = true }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "is not an Active stage");
    }

    [Fact]
    public async Task Aliases_name_versions_move_and_go_with_them()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await ModelAsync(mlflow, "aliased", 2);
        await mlflow.PostAsync("registered-models/alias", new { name = "aliased", alias = "champion", version = "1" });
        await mlflow.PostAsync("registered-models/alias", new { name = "aliased", alias = "champion", version = "2" });
        await mlflow.PostAsync("registered-models/alias", new { name = "aliased", alias = "old", version = "1" });
        var champion = (await mlflow.GetAsync("registered-models/alias?name=aliased&alias=champion")).GetProperty("model_version");
        Assert.Equal(("2", """["champion"]"""), (Text(champion, "version"), champion.GetProperty("aliases").GetRawText()));
        var aliases = (await mlflow.GetAsync("registered-models/get?name=aliased")).GetProperty("registered_model").GetProperty("aliases").GetRawText();
        Assert.Equal("""[{"alias":"champion","version":"2"},{"alias":"old","version":"1"}]""", aliases);

        await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", "model-versions/delete", new { name = "aliased", version = "2" });
        await mlflow.FailsAsync("registered-models/alias?name=aliased&alias=champion", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Registered model alias champion not found.", "GET");
        await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", "registered-models/alias", new { name = "aliased", alias = "old" });
        Task Bad(string alias, string message) => mlflow.FailsAsync("registered-models/alias", new { name = "aliased", alias, version = "1" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", message);
        await Bad("Latest", "'latest' alias name (case insensitive) is reserved.");
        await Bad("v12", "Version alias name 'v12' is reserved.");
        await Bad("a b", "Names may only contain alphanumerics, underscores (_), and dashes (-).");
        await Bad(new string('a', 256), "exceeded length limit of 255");
        await mlflow.FailsAsync("registered-models/alias", new { name = "aliased", alias = "x", version = "9" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Model Version (name=aliased, version=9) not found");
    }

    [Fact]
    public async Task Tags_and_descriptions_change_on_both_levels()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await ModelAsync(mlflow, "tagged", 1);
        await mlflow.PostAsync("registered-models/set-tag", new { name = "tagged", key = "k", value = "1" });
        await mlflow.PostAsync("model-versions/set-tag", new { name = "tagged", version = "1", key = "k", value = "2" });
        await mlflow.PostAsync("model-versions/set-tag", new { name = "tagged", version = "1", key = "gone", value = "" });
        await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", "model-versions/delete-tag", new { name = "tagged", version = "1", key = "gone" });
        await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", "registered-models/delete-tag", new { name = "tagged", key = "never" });
        var version = (await mlflow.ExpectAsync(HttpStatusCode.OK, "PATCH", "model-versions/update", new { name = "tagged", version = "1", description = "new" })).GetProperty("model_version");
        Assert.Equal(("new", """[{"key":"k","value":"2"}]"""), (Text(version, "description"), version.GetProperty("tags").GetRawText()));
        var model = (await mlflow.ExpectAsync(HttpStatusCode.OK, "PATCH", "registered-models/update", new { name = "tagged", description = "all" })).GetProperty("registered_model");
        Assert.Equal(("all", """[{"key":"k","value":"1"}]"""), (Text(model, "description"), model.GetProperty("tags").GetRawText()));
        await mlflow.FailsAsync("model-versions/set-tag", new { name = "tagged", version = "1", key = "k", value = new string('x', 100_001) }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "exceeded length limit of 100000");
    }

    [Fact]
    public async Task Searches_filter_order_and_page()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        foreach (var name in new[] { "s-b", "s-a", "s-C" })
        {
            await ModelAsync(mlflow, name, 2);
        }

        await mlflow.PostAsync("registered-models/set-tag", new { name = "s-a", key = "team", value = "x" });
        Assert.Equal("s-C s-a s-b", await NamesAsync(mlflow, "registered-models/search?filter=name+LIKE+'s-%25'"));
        Assert.Equal("s-C s-b", await NamesAsync(mlflow, "registered-models/search?filter=name+LIKE+'s-%25'+AND+name+!%3D+'s-a'"));
        Assert.Equal("s-a", await NamesAsync(mlflow, "registered-models/search?filter=tags.team%3D'x'"));
        Assert.Equal("s-b s-a s-C", await NamesAsync(mlflow, "registered-models/search?filter=name+ILIKE+'S-%25'&order_by=name+DESC"));
        var page = await mlflow.GetAsync("registered-models/search?filter=name+LIKE+'s-%25'&max_results=2");
        Assert.Equal(2, page.GetProperty("registered_models").GetArrayLength());
        Assert.Equal("s-b", await NamesAsync(mlflow, "registered-models/search?filter=name+LIKE+'s-%25'&max_results=2&page_token=" + Text(page, "next_page_token")));

        var versions = await mlflow.GetAsync("model-versions/search?filter=name%3D's-a'+AND+version_number+%3E+1");
        Assert.Equal("2", Text(Assert.Single(versions.GetProperty("model_versions").EnumerateArray()), "version"));
        versions = await mlflow.GetAsync("model-versions/search?filter=name%3D's-a'&order_by=version_number+ASC&max_results=1");
        Assert.Equal("1", Text(Assert.Single(versions.GetProperty("model_versions").EnumerateArray()), "version"));
        versions = await mlflow.GetAsync("model-versions/search?filter=source_path+LIKE+'nowhere%25'+AND+run_id+IN+('a','b')");
        Assert.Equal("{}", versions.GetRawText());
        await mlflow.FailsAsync("registered-models/search?max_results=1001", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid value 1001 for parameter 'max_results' supplied", "GET");
        await mlflow.FailsAsync("model-versions/search?filter=stage%3D'x'", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid attribute key 'stage' specified.", "GET");
        await mlflow.FailsAsync("model-versions/search?page_token=bad", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "page_token", "GET");
    }

    [Fact]
    public async Task A_prompt_is_registered_found_when_asked_for_and_no_asset()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var arm = await host.OwnerAsync();
        var prompt = new[] { new { key = "mlflow.prompt.is_prompt", value = "true" } };
        await mlflow.PostAsync("registered-models/create", new { name = "greeting", tags = prompt });
        for (var i = 1; i <= 2; i++)
        {
            var version = (await mlflow.PostAsync("model-versions/create", new { name = "greeting", source = "dummy-source", tags = prompt.Append(new { key = "mlflow.prompt.text", value = "Hello {{name}}" }) })).GetProperty("model_version");
            Assert.Equal(($"{i}", "dummy-source"), (Text(version, "version"), Text(version, "source")));
        }

        await ModelAsync(mlflow, "greeter", 1);
        Assert.Equal("greeter", await NamesAsync(mlflow, "registered-models/search?filter=name+LIKE+'greet%25'"));
        Assert.Equal("greeter", await NamesAsync(mlflow, "registered-models/search?filter=name+LIKE+'greet%25'+AND+tag.%60mlflow.prompt.is_prompt%60+!%3D+'true'"));
        Assert.Equal("greeting", await NamesAsync(mlflow, "registered-models/search?filter=tags.%60mlflow.prompt.is_prompt%60+%3D+'true'"));
        Assert.Equal("{}", (await mlflow.GetAsync("model-versions/search?filter=name%3D'greeting'")).GetRawText());
        Assert.Equal(2, (await mlflow.GetAsync("model-versions/search?filter=name%3D'greeting'+AND+tags.%60mlflow.prompt.is_prompt%60+%3D+'true'")).GetProperty("model_versions").GetArrayLength());
        using var asset = await arm.GetAsync(Arm("models/greeting"));
        Assert.Equal(HttpStatusCode.NotFound, asset.StatusCode);
        await mlflow.FailsAsync("registered-models/create", new { name = "greeting" }, HttpStatusCode.BadRequest, "RESOURCE_ALREADY_EXISTS", "Registered Model (name=greeting) already exists.");
        using var body = JsonContent.Create(new { properties = new { modelUri = "azureml://datastores/workspaceblobstore/paths/m" } });
        using var taken = await arm.PutAsync(Arm("models/greeting/versions/1"), body);
        Assert.Equal(HttpStatusCode.Conflict, taken.StatusCode);
    }

    [Fact]
    public async Task A_model_is_renamed_with_all_it_has_unless_a_resource_refers_to_it()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var arm = host.With(await Identity.Tokens.OwnerAsync(host));
        await ModelAsync(mlflow, "before", 2);
        await mlflow.PostAsync("registered-models/alias", new { name = "before", alias = "live", version = "2" });
        await mlflow.PostAsync("registered-models/set-tag", new { name = "before", key = "team", value = "a" });
        var (was, first) = ((await mlflow.GetAsync("registered-models/get?name=before")).GetProperty("registered_model"), (await mlflow.GetAsync("model-versions/get?name=before&version=1")).GetProperty("model_version"));
        var renamed = (await mlflow.PostAsync("registered-models/rename", new { name = "before", new_name = "after" })).GetProperty("registered_model");
        Assert.Equal(("after", was.GetProperty("creation_timestamp").GetInt64()), (Text(renamed, "name"), renamed.GetProperty("creation_timestamp").GetInt64()));
        Assert.Equal((was.GetProperty("tags").GetRawText(), was.GetProperty("aliases").GetRawText()), (renamed.GetProperty("tags").GetRawText(), renamed.GetProperty("aliases").GetRawText()));
        Assert.Equal(first.GetRawText().Replace("\"before\"", "\"after\"", StringComparison.Ordinal), (await mlflow.GetAsync("model-versions/get?name=after&version=1")).GetProperty("model_version").GetRawText());
        Assert.Equal("2", Text((await mlflow.GetAsync("registered-models/alias?name=after&alias=live")).GetProperty("model_version"), "version"));
        await mlflow.FailsAsync("registered-models/get?name=before", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=before not found", "GET");
        using (var gone = await arm.GetAsync(Arm("models/before/versions/1")))
        {
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        }

        using (var here = await arm.GetAsync(Arm("models/after/versions/1")))
        {
            Assert.Equal(HttpStatusCode.OK, here.StatusCode);
        }

        var (run, next) = (await LogAsync(mlflow), "3");
        Assert.Equal(next, Text((await mlflow.PostAsync("model-versions/create", new { name = "after", source = $"runs:/{run}/model" })).GetProperty("model_version"), "version"));
        await mlflow.FailsAsync("registered-models/rename", new { name = "before", new_name = "x" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "name=before not found");
        await ModelAsync(mlflow, "taken", 1);
        await mlflow.FailsAsync("registered-models/rename", new { name = "after", new_name = "taken" }, HttpStatusCode.BadRequest, "RESOURCE_ALREADY_EXISTS", "name=taken");
        using var body = JsonContent.Create(new { properties = new { image = "debian", description = "serves azureml:After:1" } });
        using var referring = await arm.PutAsync(Arm("environments/serving/versions/1"), body);
        Assert.True(referring.IsSuccessStatusCode);
        await mlflow.FailsAsync("registered-models/rename", new { name = "after", new_name = "later" }, HttpStatusCode.BadRequest, "BAD_REQUEST", "environments/serving/versions/1' refers to it");
        await mlflow.PostAsync("registered-models/create", new { name = "saying", tags = new[] { new { key = "mlflow.prompt.is_prompt", value = "true" } } });
        await mlflow.PostAsync("model-versions/create", new { name = "saying", source = "dummy-source", tags = new[] { new { key = "mlflow.prompt.text", value = "hello" } } });
        await mlflow.PostAsync("registered-models/rename", new { name = "saying", new_name = "welcome" });
        Assert.Contains("hello", (await mlflow.GetAsync("model-versions/get?name=welcome&version=1")).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_files_of_a_version_are_read_through_the_proxy_and_never_written()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await LogAsync(mlflow);
        await mlflow.PostAsync("registered-models/create", new { name = "loaded" });
        await mlflow.PostAsync("model-versions/create", new { name = "loaded", source = $"runs:/{run}/model" });
        await mlflow.PostAsync("registered-models/alias", new { name = "loaded", alias = "live", version = "1" });
        await mlflow.PostAsync("model-versions/create", new { name = "loaded", source = "models:/loaded@live" });
        foreach (var version in new[] { "1", "2" })
        {
            Assert.Equal("mlflow-artifacts:/registry/loaded/" + version, Text(await mlflow.GetAsync("model-versions/get-download-uri?name=loaded&version=" + version), "artifact_uri"));
            Assert.Equal("""[{"path":"MLmodel","is_dir":false,"file_size":9}]""", (await mlflow.GetAsync($"{Proxy}?path=registry/loaded/{version}")).GetProperty("files").GetRawText());
            using var file = await mlflow.SendAsync("GET", $"{Proxy}/registry/loaded/{version}/MLmodel");
            Assert.Equal("flavors: ", await file.Content.ReadAsStringAsync());
        }

        await mlflow.FailsAsync($"{Proxy}/registry/loaded/1/MLmodel", "{}", HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "do not change", "PUT");
        await mlflow.FailsAsync($"{Proxy}/registry/loaded/9/MLmodel", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Model Version (name=loaded, version=9) not found", "GET");
        using var azure = await Mlflow.OwnerAsync(host, "/mlflow/v2.0" + Mlflow.Default(host).Id);
        Assert.Equal($"azureml://localhost:8443/mlflow/v2.0{Mlflow.Default(host).Id}/experiments/0/runs/{run}/artifacts/model", Text(await azure.GetAsync("model-versions/get-download-uri?name=loaded&version=1"), "artifact_uri"));
        var again = await azure.PostAsync("model-versions/create", new { name = "loaded", source = $"azureml://localhost:8443/mlflow/v2.0{Mlflow.Default(host).Id}/experiments/0/runs/{run}/artifacts/model" });
        Assert.Equal("3", Text(again.GetProperty("model_version"), "version"));
    }

    [Fact]
    public async Task What_cannot_be_registered_is_refused_with_MLflows_codes()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await ModelAsync(mlflow, "strict", 1);
        await mlflow.FailsAsync("registered-models/create", new { name = "strict" }, HttpStatusCode.BadRequest, "RESOURCE_ALREADY_EXISTS", "Registered Model (name=strict) already exists.");
        await mlflow.FailsAsync("registered-models/create", new { }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'name'.");
        await mlflow.FailsAsync("registered-models/create", new { name = "a/b" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid model name: 'a/b'.");
        await mlflow.FailsAsync("registered-models/get?name=absent", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=absent not found", "GET");
        await mlflow.FailsAsync("model-versions/create", new { name = "absent", source = "runs:/x/y" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=absent not found");
        await mlflow.FailsAsync("registered-models/rename", new { name = "strict", new_name = "a/b" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid model name: 'a/b'.");
        foreach (var source in new[] { "runs:/nobody/model", "/etc/passwd", "file:///etc", "s3://bucket/m", "https://elsewhere.example/m", "mlflow-artifacts:/0/x/../../y", "models:/absent/1", "dummy-source" })
        {
            await mlflow.FailsAsync("model-versions/create", new { name = "strict", source }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid model version source");
        }
    }

    [Fact]
    public async Task A_reader_reads_and_may_not_register()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await ModelAsync(mlflow, "guarded", 1);
        using var reader = new Mlflow(await host.PrincipalAsync("acdd72a7-3385-48ef-bd42-f606fba81ae7"));
        await reader.GetAsync("registered-models/get?name=guarded");
        await reader.FailsAsync("registered-models/create", new { name = "mine" }, HttpStatusCode.Forbidden, "PERMISSION_DENIED", "workspaces/models/write");
        await reader.FailsAsync("model-versions/delete", new { name = "guarded", version = "1" }, HttpStatusCode.Forbidden, "PERMISSION_DENIED", "workspaces/models/versions/delete", "DELETE");
    }

    [Fact]
    public async Task Versions_registered_at_once_get_numbers_of_their_own()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await LogAsync(mlflow);
        await mlflow.PostAsync("registered-models/create", new { name = "raced" });
        var made = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => mlflow.PostAsync("model-versions/create", new { name = "raced", source = $"runs:/{run}/model" })));
        Assert.Equal(Enumerable.Range(1, 12), made.Select(answer => int.Parse(Text(answer.GetProperty("model_version"), "version")!)).Order());
    }

    private static async Task<string> LogAsync(Mlflow mlflow)
    {
        var run = await mlflow.RunAsync();
        using var put = await mlflow.SendAsync("PUT", $"{Proxy}/0/{run}/artifacts/model/MLmodel", new StringContent("flavors: ", Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        return run;
    }

    private static async Task ModelAsync(Mlflow mlflow, string name, int versions)
    {
        var run = await LogAsync(mlflow);
        await mlflow.PostAsync("registered-models/create", new { name });
        for (var i = 0; i < versions; i++)
        {
            await mlflow.PostAsync("model-versions/create", new { name, source = $"runs:/{run}/model" });
        }
    }

    private static async Task<string> NamesAsync(Mlflow mlflow, string path) =>
        string.Join(' ', (await mlflow.GetAsync(path)).GetProperty("registered_models").EnumerateArray().Select(model => Text(model, "name")));

    private async Task<JsonNode> ArmAsync(HttpClient arm, string path) => (await arm.GetFromJsonAsync<JsonNode>(Arm(path)))!;

    private async Task PutAsync(HttpClient arm, string path, JsonNode properties)
    {
        using var body = JsonContent.Create(new JsonObject { ["properties"] = properties.DeepClone() });
        using var answer = await arm.PutAsync(Arm(path), body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private Uri Arm(string path) => new($"{host.Workspace.Id}/{path}?api-version=2023-04-01", UriKind.Relative);

    private static IEnumerable<string> Members(JsonElement message) => message.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal);

    private static string? Text(JsonElement message, string member) => message.GetProperty(member).GetString();
}
