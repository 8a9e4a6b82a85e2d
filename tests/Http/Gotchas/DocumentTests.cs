using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Gotchas;

/// <summary>What clients choke on in documents; docs/wire-notes.md names the fact that each test stands for.</summary>
public sealed class DocumentTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    /// <summary>6.6: the SDK takes names and versions out of ids with one pattern, and reads systemData without asking.</summary>
    [Theory]
    [InlineData("data", """{"dataType":"uri_folder","dataUri":"azureml://datastores/workspaceblobstore/paths/x/"}""")]
    [InlineData("environments", """{"image":"debian"}""")]
    [InlineData("components", """{"componentSpec":{"name":"gotcha-six","version":"1","type":"command","command":"true","environment":"azureml:e:1"}}""")]
    [InlineData("models", """{"modelUri":"azureml://datastores/workspaceblobstore/paths/x/","modelType":"custom_model"}""")]
    public async Task Ids_of_versions_have_the_exact_form_and_system_data_is_always_there(string type, string properties)
    {
        (await arm.PutAsync($"~/{type}/gotcha-six/versions/1", $$"""{"properties":{{properties}}}""")).Ok();
        var version = (await arm.GetAsync($"~/{type}/gotcha-six/versions/1")).Ok();
        var listed = (await arm.GetAsync($"~/{type}/gotcha-six/versions")).Ok()["value"]![0]!.AsObject();
        foreach (var document in new[] { version, listed })
        {
            Assert.Equal($"/subscriptions/{arm.Main.SubscriptionId}/resourceGroups/zaffre/providers/Microsoft.MachineLearningServices/workspaces/main/{type}/gotcha-six/versions/1", document.At("id"));
            Assert.Equal(("1", $"Microsoft.MachineLearningServices/workspaces/{type}/versions"), (document.At("name"), document.At("type")));
            foreach (var member in new[] { "createdAt", "createdBy", "createdByType", "lastModifiedAt", "lastModifiedBy", "lastModifiedByType" })
            {
                Assert.NotEmpty(document.At("systemData." + member));
            }

            Assert.IsType<JsonObject>(document["properties"]!["properties"]);
            Assert.IsType<JsonObject>(document["properties"]!["tags"]);
        }
    }

    /// <summary>6.7, 6.11: a job without these disappears from lists.</summary>
    [Fact]
    public async Task A_listed_job_has_compute_services_and_a_default_output_in_the_artifact_stores_form()
    {
        await SubmitAsync("gotcha-seven", """{"command":"true"}""");
        var job = (await arm.GetAsync("~/jobs")).Ok()["value"]!.AsArray().Select(found => found!.AsObject()).Single(found => found.At("name") == "gotcha-seven");
        Assert.Equal($"{arm.Main.Id}/computes/serverless", job.At("properties.computeId"));
        Assert.IsType<JsonObject>(job["properties"]!["services"]);
        Assert.IsType<JsonObject>(job["properties"]!["properties"]);
        Assert.Equal("azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.gotcha-seven", job.At("properties.outputs.default.uri"));
    }

    /// <summary>6.10: every form that the SDKs write for an asset.</summary>
    [Theory]
    [InlineData("azureml:gotcha-ten:1")]
    [InlineData("{W}/environments/gotcha-ten/versions/1")]
    [InlineData("azureml:{W}/environments/gotcha-ten/versions/1")]
    public async Task A_reference_is_understood_in_every_form(string reference)
    {
        (await arm.PutAsync("~/environments/gotcha-ten/versions/1", """{"properties":{"image":"debian"}}""")).Ok();
        var name = "gotcha-ten-" + Guid.NewGuid().ToString("N")[..6];
        var job = new JsonObject { ["properties"] = new JsonObject { ["jobType"] = "Command", ["command"] = "true", ["environmentId"] = reference.Replace("{W}", arm.Main.Id.Value, StringComparison.Ordinal) } };
        Assert.Equal(HttpStatusCode.Created, (await arm.PutAsync("~/jobs/" + name, job.ToJsonString())).Status);
    }

    /// <summary>6.19: archiving is a PUT of the whole resource.</summary>
    [Theory]
    [InlineData("environments/gotcha-nineteen/versions/1")]
    [InlineData("jobs/gotcha-nineteen")]
    public async Task A_put_of_the_whole_resource_archives_it(string path)
    {
        (await arm.PutAsync("~/environments/gotcha-nineteen/versions/1", """{"properties":{"image":"debian"}}""")).Ok();
        if (path.StartsWith("jobs", StringComparison.Ordinal))
        {
            await SubmitAsync("gotcha-nineteen", """{"command":"true"}""");
            await new JobClient(host).EndAsync("gotcha-nineteen");
        }

        var whole = (await arm.GetAsync("~/" + path)).Ok();
        whole["properties"]!["isArchived"] = true;
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync("~/" + path, whole.ToJsonString())).Status);
        Assert.Equal("true", (await arm.GetAsync("~/" + path)).Ok().At("properties.isArchived"));
        var list = path[..path.LastIndexOf('/')];
        Assert.DoesNotContain(path.Split('/')[^1], (await arm.GetAsync("~/" + list)).Ok().Names());
        Assert.Contains(path.Split('/')[^1], (await arm.GetAsync($"~/{list}?listViewType=ArchivedOnly")).Ok().Names());
    }

    /// <summary>6.20: the client sends the name of its folder; one that sends nothing or an empty name gets a default.</summary>
    [Theory]
    [InlineData("""{"command":"true","experimentName":"my folder"}""", "my folder")]
    [InlineData("""{"command":"true","experimentName":""}""", "Default")]
    [InlineData("""{"command":"true"}""", "Default")]
    public async Task A_job_has_an_experiment_and_a_display_name_whatever_is_sent(string properties, string experiment)
    {
        var name = "gotcha-twenty-" + Guid.NewGuid().ToString("N")[..6];
        await SubmitAsync(name, properties);
        var job = (await arm.GetAsync("~/jobs/" + name)).Ok();
        Assert.Equal((experiment, name), (job.At("properties.experimentName"), job.At("properties.displayName")));
    }

    /// <summary>6.24, 8.0.8: properties of a submission from a git folder, and values that are no strings.</summary>
    [Fact]
    public async Task What_git_says_and_numbers_where_texts_are_usual_come_back()
    {
        await SubmitAsync("gotcha-git", """{"command":"true","properties":{"mlflow.source.git.repoURL":"https://example.org/r.git","mlflow.source.git.commit":"abc","azureml.git.dirty":"True","hash_version":202208}}""");
        var properties = (await arm.GetAsync("~/jobs/gotcha-git")).Ok()["properties"]!["properties"]!;
        Assert.Equal(("https://example.org/r.git", "True", "202208"), (properties["mlflow.source.git.repoURL"]!.ToString(), properties["azureml.git.dirty"]!.ToString(), properties["hash_version"]!.ToString()));
    }

    /// <summary>8.0.6: MD5 before, SHA-256 now; whatever names an anonymous version is a name.</summary>
    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public async Task Hashes_of_any_length_are_versions(int length) =>
        Assert.Equal(HttpStatusCode.Created, (await arm.PutAsync($"~/environments/CliV2AnonymousEnvironment/versions/{new string('a', length)}", """{"properties":{"image":"debian","isAnonymous":true}}""")).Status);

    /// <summary>8.0.5: the newer SDK reads the container for <c>latest</c>, the older one the list.</summary>
    [Fact]
    public async Task The_latest_version_is_told_by_the_container_and_by_the_first_of_the_list()
    {
        foreach (var version in new[] { "1", "7", "3" })
        {
            (await arm.PutAsync($"~/data/gotcha-latest/versions/{version}", """{"properties":{"dataType":"uri_folder","dataUri":"azureml://datastores/workspaceblobstore/paths/x/"}}""")).Ok();
        }

        var latest = (await arm.GetAsync("~/data/gotcha-latest")).Ok().At("properties.latestVersion");
        Assert.Equal([latest], (await arm.GetAsync("~/data/gotcha-latest/versions?$orderBy=createdtime desc&$top=1")).Ok().Names());
    }

    /// <summary>0.10, 6.4, 8.0.9: what has no engine yet says so by name instead of half an answer.</summary>
    [Theory]
    [InlineData("PUT", "~/batchEndpoints/gotcha", "batchEndpoints")]
    [InlineData("GET", "{S}/providers/Microsoft.MachineLearningServices/registries", "registries")]
    public async Task Registries_and_batch_endpoints_are_refused_by_name(string method, string path, string named)
    {
        var answer = await arm.SendAsync(new HttpMethod(method), path.Replace("{S}", "/subscriptions/" + arm.Main.SubscriptionId, StringComparison.Ordinal), method == "PUT" ? """{"location":"local","properties":{"defaults":{"deployment_name":"d1"}}}""" : null);
        Assert.Equal("OperationNotSupported", answer.Fails(HttpStatusCode.BadRequest));
        Assert.Contains(named, answer.Body["error"]!["message"]!.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    private async Task SubmitAsync(string name, string properties)
    {
        var put = await new JobClient(host).PutAsync(name, properties);
        put.Ok();
    }
}
