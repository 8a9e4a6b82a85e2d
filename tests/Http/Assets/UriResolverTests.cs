using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tests.Http.Tracking;
using Zaffre.Tests.Http.Workspaces;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Assets;

public sealed class UriResolverTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    [Fact]
    public async Task Every_spelling_of_a_file_leads_to_the_same_place()
    {
        var root = await PutAsync("in/data.csv", "a,b\n");
        var expected = root.Child("in/data.csv");
        (await arm.PutAsync("~/data/csv/versions/1", """{"properties":{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/in/data.csv"}}""")).Ok();
        string[] spellings =
        [
            "azureml://datastores/workspaceblobstore/paths/in/data.csv",
            "azureml://datastores/workspaceblobstore/in/data.csv",
            $"azureml://subscriptions/{arm.Main.SubscriptionId}/resourcegroups/zaffre/workspaces/main/datastores/workspaceblobstore/paths/in/data.csv",
            $"https://{root.Account}.blob.core.windows.net/{root.Container}/in/data.csv",
            $"https://{root.Account}.blob.core.localhost:8443/{root.Container}/in/data.csv?sv=1&sig=x",
            $"wasbs://{root.Container}@{root.Account}.blob.core.windows.net/in/data.csv",
            "azureml:csv:1",
            "azureml:csv@latest",
            $"{arm.Main.Id}/data/csv/versions/1",
            $"azureml:{arm.Main.Id}/data/csv/versions/1",
        ];
        foreach (var uri in spellings)
        {
            var found = (await ResolveAsync(uri)).Value;
            Assert.Equal(expected, found.Blob);
            Assert.Equal(UriShape.File, found.Shape);
            Assert.Equal("azureml://datastores/workspaceblobstore/paths/in/data.csv", found.DatastoreUri);
            Assert.Equal(spellings[2], found.LongDatastoreUri);
            Assert.Equal(uri, found.Uri);
        }

        Assert.Equal(UriShape.Folder, (await ResolveAsync("azureml://datastores/workspaceblobstore/paths/in/")).Value.Shape);
        Assert.Equal(UriShape.Unknown, (await ResolveAsync("azureml://datastores/workspaceblobstore/paths/nothing")).Value.Shape);
        Assert.Equal(new Uri("https://example.org/x.csv"), (await ResolveAsync("https://example.org/x.csv")).Value.Download);
    }

    [Fact]
    public async Task What_belongs_to_another_workspace_is_refused()
    {
        var other = (await arm.PutAsync(arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/stranger", """{"location":"local"}""")).Ok();
        var account = other.At("properties.storageAccount").Split('/')[^1];
        foreach (var uri in new[]
        {
            $"https://{account}.blob.core.windows.net/azureml/x",
            $"wasbs://azureml@{account}.blob.core.windows.net/x",
            $"azureml://subscriptions/{arm.Main.SubscriptionId}/resourcegroups/zaffre/workspaces/stranger/datastores/workspaceblobstore/paths/x",
            $"{other.At("id")}/data/d/versions/1",
            $"azureml://locations/local/workspaces/{other.At("properties.workspaceId")}/data/d/versions/1",
        })
        {
            Assert.Equal(ProblemKind.Invalid, (await ResolveAsync(uri)).Problem?.Kind);
        }
    }

    [Fact]
    public async Task Unknown_things_are_named()
    {
        Assert.Contains("nobody", (await ResolveAsync("azureml:nobody:1")).Problem!.Message, StringComparison.Ordinal);
        Assert.Contains("nowhere", (await ResolveAsync("azureml://datastores/nowhere/paths/x")).Problem!.Message, StringComparison.Ordinal);
        Assert.Equal(ProblemKind.Invalid, (await ResolveAsync("azureml://jobs/../outputs/default/paths/x")).Problem?.Kind);
    }

    [Fact]
    public async Task Asset_ids_resolve_to_long_datastore_uris_under_the_keys_that_were_asked()
    {
        await PutAsync("m/model.pkl", "x");
        (await arm.PutAsync("~/models/m/versions/1", """{"properties":{"modelUri":"azureml://datastores/workspaceblobstore/paths/m"}}""")).Ok();
        (await arm.PutAsync("~/data/d/versions/1", """{"properties":{"dataType":"uri_folder","dataUri":"azureml://datastores/workspaceblobstore/paths/m"}}""")).Ok();
        var expected = $"azureml://subscriptions/{arm.Main.SubscriptionId}/resourcegroups/zaffre/workspaces/main/datastores/workspaceblobstore/paths/m";
        var assets = host.Get<IAssets>();
        var data = await assets.ToAssetIdAsync(arm.Main.Child("data", "d").Child("versions", "1"), CancellationToken.None);
        var model = await assets.ToAssetIdAsync(arm.Main.Child("models", "m").Child("versions", "1"), CancellationToken.None);

        var found = (await arm.PostAsync("/data/v1.0~/dataversion/batchGetResolvedUris", new JsonObject { ["values"] = new JsonArray(data, "azureml://locations/x/unknown") }.ToJsonString())).Ok();
        Assert.Equal([data], ((JsonObject)found["values"]!).Select(p => p.Key));
        Assert.Equal(expected, found["values"]![data]!["uri"]!.GetValue<string>());
        Assert.Equal("UriFolder", found["values"]![data]!["type"]!.GetValue<string>());
        found = (await arm.PostAsync("/modelregistry/v1.0~/models/batchGetResolvedUris", new JsonObject { ["values"] = new JsonArray(model) }.ToJsonString())).Ok();
        Assert.Equal(expected, found["values"]![model]!["path"]!.GetValue<string>());
        Assert.Equal(["values"], (await arm.PostAsync("/data/v1.0~/dataversion/batchGetResolvedUris", """{"values":[1]}""")).Targets());
        (await arm.PostAsync("/data/v1.0~/dataversion/batchGetResolvedUris")).Fails(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_model_from_a_run_is_stored_as_sent_and_answered_where_clients_can_download_it()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        var body = $$$"""{"properties":{"modelUri":"runs:/{{{run}}}/model"}}""";
        Assert.Equal(["properties.modelUri"], (await arm.PutAsync("~/models/ran/versions/1", body)).Targets());
        await PutAsync($"ExperimentRun/dcid.{run}/model/model.pkl", "x", BuiltInDatastores.Artifact);

        var model = (await arm.PutAsync("~/models/ran/versions/1", body)).Ok();
        Assert.EndsWith($"/workspaces/main/datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{run}/model", model.At("properties.modelUri"), StringComparison.Ordinal);
        Assert.Equal(run, model.At("properties.jobName"));
        Assert.Equal(HttpStatusCode.OK, (await arm.PutAsync("~/models/ran/versions/1", model.ToJsonString())).Status);
        Assert.Equal($"runs:/{run}/model", (await host.Get<IAssets>().FindVersionAsync(arm.Main, AssetType.Model, "ran", "1", CancellationToken.None))!.Properties["modelUri"]!.GetValue<string>());
        Assert.Equal(UriShape.Folder, (await ResolveAsync("azureml:ran:1")).Value.Shape);
        Assert.Equal(["properties.modelUri"], (await arm.PutAsync("~/models/ran/versions/2", """{"properties":{"modelUri":"runs:/nobody/model"}}""")).Targets());
        Assert.Equal(["properties.modelUri"], (await arm.PutAsync("~/models/ran/versions/2", $$$"""{"properties":{"modelUri":"runs:/{{{run}}}/../x"}}""")).Targets());
    }

    private async Task<BlobLocation> PutAsync(string path, string text, string datastore = BuiltInDatastores.Blob)
    {
        var root = (await host.Get<IDatastores>().ResolveAsync(arm.Main, datastore, CancellationToken.None)).Value;
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        _ = (await host.Get<IBlobStore>().PutAsync(new BlobAddress(root.Account, root.Container, path), content, new BlobWrite(), CancellationToken.None)).Value;
        return root;
    }

    private Task<Outcome<ResolvedUri>> ResolveAsync(string uri) => host.Get<IUriResolver>().ResolveAsync(arm.Main, uri, CancellationToken.None);
}
