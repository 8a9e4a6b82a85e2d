using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Zaffre.Database;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Tracking;

public sealed class RunHistoryTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private WorkspaceRef Workspace => Mlflow.Default(host);

    private string Base => "/history/v1.0" + Workspace.Id;

    [Fact]
    public async Task A_run_that_ended_unseen_shows_Finalizing_once_and_then_the_truth_with_its_error()
    {
        await CreateAsync("quick", RunStatus.Running);
        await WriteAsync(scope => host.Get<IRuns>().SetStatus(scope, Workspace, "quick", RunStatus.Failed, new RunError("UserError", "exit code 1")));
        var first = await GetAsync("/runs/quick/details");
        Assert.Equal("Finalizing", first.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, first.GetProperty("error").ValueKind);
        var second = await GetAsync("/runs/quick/details");
        Assert.Equal("Failed", second.GetProperty("status").GetString());
        var error = second.GetProperty("error").GetProperty("error");
        Assert.Equal(("UserError", "exit code 1", 0), (error.GetProperty("code").GetString(), error.GetProperty("message").GetString(), error.GetProperty("details").GetArrayLength()));
        Assert.Equal("Failed", (await GetAsync("/runs/quick")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Details_name_the_logs_with_urls_that_need_no_token()
    {
        await CreateAsync("talker", RunStatus.Running);
        var place = (await host.Get<IDatastores>().ResolveAsync(Workspace, RunArtifacts.Datastore, default)).Value.Child(RunArtifacts.Prefix("talker") + "/user_logs/std_log.txt");
        await host.Get<IBlobStore>().AppendAsync(new BlobAddress(place.Account, place.Container, place.Path), Encoding.UTF8.GetBytes("line\n"), default);
        var details = await GetAsync("/runs/talker/details");
        Assert.Equal("Running", details.GetProperty("status").GetString());
        var log = Assert.Single(details.GetProperty("logFiles").EnumerateObject());
        Assert.Equal("user_logs/std_log.txt", log.Name);
        var url = new Uri(log.Value.GetString()!);
        Assert.EndsWith("/ExperimentRun/dcid.talker/user_logs/std_log.txt", url.AbsolutePath, StringComparison.Ordinal);
        Assert.Contains("sig=", url.Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rundata_has_the_outputs_in_the_case_its_clients_need()
    {
        await CreateAsync("producer", RunStatus.Completed);
        await WriteAsync(scope =>
        {
            host.Get<IRuns>().SetOutputs(scope, Workspace, "producer", [new("model", "azureml://a", "mlflow_model"), new("table", "azureml://b", "uri_file")]);
            return true;
        });
        using var client = host.With(await Identity.Tokens.OwnerAsync(host));
        using var answer = await client.PostAsJsonAsync(Base + "/rundata?api-version=v1.0", new { runId = "producer", selectRunMetadata = true });
        var metadata = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("runMetadata");
        Assert.Equal("""{"model":{"assetId":"azureml://a","type":"UriFolder"},"table":{"assetId":"azureml://b","type":"UriFile"}}""", metadata.GetProperty("outputs").GetRawText());
        Assert.Equal(("producer", "producer", "dcid.producer", "Completed"), (metadata.GetProperty("runId").GetString(), metadata.GetProperty("rootRunId").GetString(), metadata.GetProperty("dataContainerId").GetString(), metadata.GetProperty("status").GetString()));
        using var missing = await client.PostAsJsonAsync(Base + "/rundata", new { });
        Assert.Equal(HttpStatusCode.BadRequest, missing.StatusCode);
        using var unknown = await client.PostAsJsonAsync(Base + "/rundata", new { runId = "nobody" });
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("UserError", (await unknown.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task Children_have_the_fields_that_the_sdk_reads()
    {
        await CreateAsync("parent", RunStatus.Running);
        await CreateAsync("child", RunStatus.Running, "parent");
        await CreateAsync("grandchild", RunStatus.Running, "child");
        var child = Assert.Single((await GetAsync("/runs/parent/children")).GetProperty("value").EnumerateArray());
        foreach (var name in new[] { "runId", "status", "displayName", "description", "tags", "properties", "experimentId", "services", "createdUtc", "createdBy", "createdFrom", "lastModifiedBy", "lastModifiedUtc", "compute" })
        {
            Assert.True(child.TryGetProperty(name, out _), name);
        }

        Assert.Equal(("child", "parent", "cpu-cluster"), (child.GetProperty("runId").GetString(), child.GetProperty("parentRunId").GetString(), child.GetProperty("compute").GetProperty("target").GetString()));
        Assert.Equal("parent", (await GetAsync("/runs/grandchild")).GetProperty("rootRunId").GetString());
        Assert.Equal("""{"instances":{}}""", (await GetAsync("/runs/child/serviceinstances/0")).GetRawText());
    }

    private async Task CreateAsync(string id, RunStatus status, string? parent = null) => await WriteAsync(scope => host.Get<IRuns>().Create(
        scope, new NewRun { Workspace = Workspace, Id = id, Experiment = "history", Status = status, Parent = parent, Target = "cpu-cluster" }));

    private Task<T> WriteAsync<T>(Func<WriteScope, T> unit) => host.Get<IDatabase>().WriteAsync(unit, default);

    private async Task<JsonElement> GetAsync(string path)
    {
        using var client = host.With(await Identity.Tokens.OwnerAsync(host));
        return await client.GetFromJsonAsync<JsonElement>(Base + path);
    }
}
