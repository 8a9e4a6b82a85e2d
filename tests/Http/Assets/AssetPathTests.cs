using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Assets;

/// <summary>Models from every kind of path, environments of every kind, and what identifies a version.</summary>
public sealed class AssetPathTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly JobClient jobs = new(host);

    private Arm Arm => jobs.Arm;

    [Fact]
    public async Task A_model_comes_from_every_kind_of_path_and_is_answered_with_a_place_that_clients_download_from()
    {
        (await jobs.PutAsync("trains", """{"command":"mkdir -p outputs/m && echo w > outputs/m/w.txt && echo v > ${{outputs.model}}/v.txt","outputs":{"model":{"jobOutputType":"custom_model"}}}""")).Ok();
        Assert.Equal("Completed", (await jobs.EndAsync("trains")).Job.At("properties.status"));
        var store = (await Arm.GetAsync("~/datastores/workspaceblobstore")).Ok();
        var (account, container) = (store.At("properties.accountName"), store.At("properties.containerName"));
        (await Arm.PutAsync("~/data/weights/versions/1", Data("uri_folder", "folder/of/weights"))).Ok();
        var lower = Arm.Main.Id.Value.Replace("resourceGroups", "resourcegroups", StringComparison.Ordinal).Replace("/providers/Microsoft.MachineLearningServices", "", StringComparison.Ordinal);
        var paths = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["azureml://datastores/workspaceblobstore/paths/folder/of/weights"] = "workspaceblobstore/paths/folder/of/weights",
            [$"azureml:/{lower}/datastores/workspaceblobstore/paths/folder/of/weights"] = "workspaceblobstore/paths/folder/of/weights",
            [$"https://{account}.blob.core.windows.net/{container}/folder/of/weights"] = "workspaceblobstore/paths/folder/of/weights",
            [$"wasbs://{container}@{account}.blob.core.windows.net/folder/of/weights"] = "workspaceblobstore/paths/folder/of/weights",
            ["azureml:weights:1"] = "workspaceblobstore/paths/folder/of/weights",
            ["azureml:weights@latest"] = "workspaceblobstore/paths/folder/of/weights",
            [$"{Arm.Main.Id}/data/weights/versions/1"] = "workspaceblobstore/paths/folder/of/weights",
            [$"azureml:{Arm.Main.Id}/data/weights/versions/1"] = "workspaceblobstore/paths/folder/of/weights",
            ["azureml://jobs/trains/outputs/model/paths/v.txt"] = "workspaceblobstore/paths/azureml/trains/model/v.txt",
            ["azureml://jobs/trains/outputs/artifacts/paths/outputs/m"] = "workspaceartifactstore/paths/ExperimentRun/dcid.trains/outputs/m",
            ["runs:/trains/outputs/m"] = "workspaceartifactstore/paths/ExperimentRun/dcid.trains/outputs/m",
        };
        var version = 0;
        foreach (var (path, place) in paths)
        {
            var at = $"~/models/every/versions/{++version}";
            (await Arm.PutAsync(at, new JsonObject { ["properties"] = new JsonObject { ["modelUri"] = path } }.ToJsonString())).Ok();
            var found = (await Arm.GetAsync(at)).Ok();
            Assert.Matches("^azureml://(subscriptions/.+/workspaces/main/)?datastores/" + place.Replace(".", "\\.", StringComparison.Ordinal) + "/?$", found.At("properties.modelUri"));
            Assert.Equal(path.Contains("trains", StringComparison.Ordinal) ? "trains" : "", found.At("properties.jobName"));
        }
    }

    [Theory]
    [InlineData("azureml://jobs/nobody/outputs/o/paths/x")]
    [InlineData("runs:/nobody/model")]
    [InlineData("azureml:nothing:1")]
    [InlineData("azureml://datastores/nowhere/paths/x")]
    [InlineData("azureml://datastores/workspaceblobstore/paths/../secret")]
    [InlineData("azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/workspaceblobstore/paths/x")]
    [InlineData("outputs/model")]
    public async Task A_path_that_leads_nowhere_is_refused_with_its_place(string path)
    {
        var refused = await Arm.PutAsync("~/models/lost/versions/1", new JsonObject { ["properties"] = new JsonObject { ["modelUri"] = path } }.ToJsonString());
        Assert.Equal(["properties.modelUri"], refused.Targets());
        (await Arm.GetAsync("~/models/lost")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("https://github.com/Azure/azureml-examples.git#main:cli/assets")]
    [InlineData("azureml://datastores/workspaceblobstore/paths/LocalUpload/h/ctx/")]
    public async Task An_environment_with_a_build_context_is_kept_and_refused_where_it_would_run(string context)
    {
        var name = "built-" + context.Length;
        var made = await Arm.PutAsync($"~/environments/{name}/versions/1", new JsonObject { ["properties"] = new JsonObject { ["build"] = new JsonObject { ["contextUri"] = context } } }.ToJsonString());
        Assert.Equal((HttpStatusCode.Created, context, "Dockerfile"), (made.Status, made.Body.At("properties.build.contextUri"), made.Body.At("properties.build.dockerfilePath")));
        Assert.Equal(HttpStatusCode.OK, (await Arm.PutAsync($"~/environments/{name}/versions/1", made.Body.ToJsonString())).Status);
        var job = await jobs.PutAsync("in-built", $$"""{"command":"true","environmentId":"azureml:{{name}}:1"}""");
        Assert.Equal(("OperationNotSupported", "properties.environmentId"), (job.Fails(HttpStatusCode.BadRequest), Assert.Single(job.Targets())));
        Assert.Contains(name, job.Body.At("error.message"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"build":{}}""", "properties.build.contextUri")]
    [InlineData("""{"build":"ctx"}""", "properties.build.contextUri")]
    [InlineData("""{"build":{"contextUri":"https://example.org/ctx","dockerfilePath":7}}""", "properties.build.dockerfilePath")]
    [InlineData("""{"image":"ubuntu","build":{"contextUri":"https://example.org/ctx"}}""", "properties.build")]
    public async Task A_malformed_build_context_is_refused(string properties, string target) =>
        Assert.Equal([target], (await Arm.PutAsync("~/environments/malformed/versions/1", $$$"""{"properties":{{{properties}}}}""")).Targets());

    [Theory]
    [InlineData("curated-version", "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu:32")]
    [InlineData("curated-label", "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest")]
    [InlineData("curated-registry", "azureml://registries/azureml/environments/sklearn-1.5/labels/latest")]
    [InlineData("curated-exact", "azureml://registries/azureml/environments/sklearn-1.5/versions/7")]
    public async Task A_job_runs_with_the_packages_that_the_table_has_for_a_curated_environment(string name, string reference)
    {
        (await jobs.PutAsync(name, $$"""{"command":"python -c 'import sklearn; print(\"there\")'","environmentId":"{{reference}}"}""")).Ok();

        var (job, log) = await jobs.EndAsync(name);
        Assert.Equal(("Completed", "there\n"), (job.At("properties.status"), log));
    }

    [Theory]
    [InlineData("azureml://registries/azureml/environments/nobody-knows/versions/1", "curated-environments.yml")]
    [InlineData("azureml://registries/other/environments/sklearn-1.5/versions/1", "registries")]
    public async Task An_environment_of_a_registry_that_is_not_in_the_table_is_refused(string reference, string named)
    {
        var refused = await jobs.PutAsync("curated-unknown", $$"""{"command":"true","environmentId":"{{reference}}"}""");
        Assert.Equal(["properties.environmentId"], refused.Targets());
        Assert.Contains(named, refused.Body.At("error.message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Curated_environments_are_read_and_extended_and_registered_ones_win()
    {
        var ready = (await Arm.GetAsync("~/environments/AzureML-lightgbm-3.3/versions/1")).Ok();
        Assert.Equal("Curated", ready.At("properties.environmentType"));
        Assert.Contains("- lightgbm", ready.At("properties.condaFile"), StringComparison.Ordinal);

        var refused = await jobs.PutAsync("curated", """{"command":"true","environmentId":"azureml:AzureML-own:1"}""");
        Assert.Equal(["properties.environmentId"], refused.Targets());
        Assert.Contains("curated-environments.yml", refused.Body.At("error.message"), StringComparison.Ordinal);

        (await Arm.PutAsync("~/environments/AzureML-own/versions/1", """{"properties":{"image":"debian"}}""")).Ok();
        (await jobs.PutAsync("curated", """{"command":"true","environmentId":"azureml:AzureML-own:1"}""")).Ok();
        await jobs.EndAsync("curated");
        Assert.Equal("UserCreated", (await Arm.GetAsync("~/environments/AzureML-own/versions/1")).Ok().At("properties.environmentType"));
    }

    [Fact]
    public async Task The_operators_table_comes_first_and_is_read_again_when_it_changes()
    {
        var file = Path.Combine(host.Root, "curated-environments.yml");
        await File.WriteAllTextAsync(file, "- names: [AzureML-house-*]\n  packages: [numpy]\n");
        Assert.Contains("- numpy", (await Arm.GetAsync("~/environments/AzureML-house-1/versions/1")).Ok().At("properties.condaFile"), StringComparison.Ordinal);

        await File.WriteAllTextAsync(file, "- packages: [numpy]\n");
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddMinutes(1));
        var refused = await jobs.PutAsync("curated-broken", """{"command":"true","environmentId":"azureml:AzureML-house-1:1"}""");
        Assert.Contains("line 1, column 3: an entry needs 'names'", refused.Body.At("error.message"), StringComparison.Ordinal);
        File.Delete(file);
    }

    [Fact]
    public async Task Anonymous_versions_come_back_by_id_and_their_containers_are_not_listed()
    {
        foreach (var (path, properties) in new[]
        {
            ("environments/CliV2AnonymousEnvironment/versions/0123456789abcdef", """{"image":"debian","isAnonymous":true}"""),
            ("components/azureml_anonymous/versions/11111111-2222-3333-4444-555555555555", """{"isAnonymous":true,"componentSpec":{"name":"azureml_anonymous","type":"command","command":"true","environment":"azureml:e:1","_source":"DSL"}}"""),
        })
        {
            for (var times = 0; times < 2; times++)
            {
                (await Arm.PutAsync("~/" + path, $$$"""{"properties":{{{properties}}}}""")).Ok();
            }

            Assert.Equal("true", (await Arm.GetAsync("~/" + path)).Ok().At("properties.isAnonymous"));
            Assert.DoesNotContain(path.Split('/')[1], (await Arm.GetAsync("~/" + path.Split('/')[0])).Ok().Names());
        }
    }

    [Fact]
    public async Task A_component_is_kept_verbatim_with_the_hash_that_its_client_computed()
    {
        const string spec = """{"$schema":"https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json","name":"verbatim","version":"1","display_name":"V","type":"command","is_deterministic":false,"command":"echo ${{inputs.x}} $[[--y ${{inputs.y}}]]","environment":"azureml:e:1","inputs":{"x":{"type":"number","default":"0.10"},"y":{"type":"uri_file","optional":true}},"outputs":{"o":{"type":"mlflow_model"}},"distribution":{"type":"mpi","process_count_per_instance":1},"resources":{"instance_count":2},"_source":"YAML.COMPONENT"}""";
        (await Arm.PutAsync("~/components/verbatim/versions/1", $$$"""{"properties":{"properties":{"client_component_hash":"abc"},"componentSpec":{{{spec}}}}}""")).Ok();
        var found = (await Arm.GetAsync("~/components/verbatim/versions/azureml_default")).Ok();
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(spec), found["properties"]!["componentSpec"]), found.ToJsonString());
        Assert.Equal("abc", found.At("properties.properties.client_component_hash"));
    }

    [Fact]
    public async Task Models_are_filtered_by_stage_and_a_changed_path_says_what_may_change()
    {
        (await Arm.PutAsync("~/models/staged/versions/1", """{"properties":{"stage":"Production","modelUri":"azureml://datastores/workspaceblobstore/paths/a"}}""")).Ok();
        (await Arm.PutAsync("~/models/staged/versions/2", """{"properties":{"modelUri":"azureml://datastores/workspaceblobstore/paths/a"}}""")).Ok();
        Assert.Equal(["1"], (await Arm.GetAsync("~/models/staged/versions?stage=production")).Ok().Names());
        var refused = await Arm.PutAsync("~/models/staged/versions/1", """{"properties":{"modelUri":"azureml://datastores/workspaceblobstore/paths/b"}}""");
        Assert.Equal("UserError", refused.Fails(HttpStatusCode.Conflict));
        Assert.Contains("tags", refused.Body.At("error.message"), StringComparison.Ordinal);
        (await Arm.PutAsync("~/models/staged/versions/1", """{"properties":{"stage":"Archived","modelUri":"azureml://datastores/workspaceblobstore/paths/a"}}""")).Ok();
        Assert.Empty((await Arm.GetAsync("~/models/staged/versions?stage=Production")).Ok().Names());
    }

    private static string Data(string type, string path) =>
        new JsonObject { ["properties"] = new JsonObject { ["dataType"] = type, ["dataUri"] = "azureml://datastores/workspaceblobstore/paths/" + path } }.ToJsonString();
}
