using Zaffre.Assets;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Assets;

public sealed class ParsedUriTests
{
    [Theory]
    [InlineData("azureml://datastores/ds/paths/a/b/", "ds", "a/b")]
    [InlineData("azureml://datastores/ds/paths/", "ds", "")]
    [InlineData("azureml://datastores/ds", "ds", "")]
    [InlineData("azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.job1", "workspaceartifactstore", "ExperimentRun/dcid.job1")]
    [InlineData("AZUREML://DataStores/ds/Paths/x", "ds", "x")]
    [InlineData("azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/ds/paths/a", "ds", "a")]
    [InlineData("azureml://subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/ds/paths/a", "ds", "a")]
    public void Datastore_uris_name_a_datastore_and_a_path(string uri, string datastore, string path)
    {
        var place = Assert.IsType<ParsedUri.InDatastore>(ParsedUri.Parse(uri).Value);
        Assert.Equal((datastore, path), (place.Datastore, place.Path));
    }

    [Theory]
    [InlineData("https://acct.blob.core.windows.net/c/a/b.csv", "acct", "c", "a/b.csv")]
    [InlineData("https://acct.blob.core.localhost:8443/c/a%20b?sv=1&sig=x", "acct", "c", "a b")]
    [InlineData("wasbs://c@acct.blob.core.windows.net/a/b", "acct", "c", "a/b")]
    public void Blob_uris_name_account_container_and_path(string uri, string account, string container, string path)
    {
        var place = Assert.IsType<ParsedUri.InAccount>(ParsedUri.Parse(uri).Value);
        Assert.Equal((account, container, path), (place.Account, place.Container, place.Path));
    }

    [Theory]
    [InlineData("https://example.org/data.csv")]
    [InlineData("http://10.0.0.1/data.csv?x=1")]
    [InlineData("https://evil.blob.core.windows.net.example.org/c/x")]
    public void Other_web_uris_are_foreign(string uri) => Assert.IsType<ParsedUri.Foreign>(ParsedUri.Parse(uri).Value);

    [Theory]
    [InlineData("azureml:iris:1")]
    [InlineData("azureml:iris@latest")]
    [InlineData("azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/data/iris/versions/1")]
    [InlineData("/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/data/iris/versions/1")]
    [InlineData("azureml://locations/local/workspaces/0b4b0a3e-7d10-4bd5-93a5-111111111111/data/iris/versions/1")]
    public void References_name_an_asset(string uri) => Assert.Equal(uri, Assert.IsType<ParsedUri.OfAsset>(ParsedUri.Parse(uri).Value).Reference);

    [Theory]
    [InlineData("azureml://datastores/ds/paths/../x")]
    [InlineData("azureml://datastores/ds/paths/a/%2e%2e/x")]
    [InlineData("azureml://datastores/ds/paths/a/%252e%252e/x")]
    [InlineData("azureml://datastores/ds/paths/a/..%2fx")]
    [InlineData("azureml://datastores/ds/paths/a\\..\\x")]
    [InlineData("azureml://datastores/ds/paths/a\0b")]
    [InlineData("azureml://datastores/../paths/x")]
    [InlineData("https://acct.blob.core.windows.net/c/../../x")]
    [InlineData("https://acct.blob.core.windows.net/c/%2e%2e/x")]
    [InlineData("wasbs://c@acct.blob.core.windows.net/a/../../x")]
    [InlineData("https://user:secret@example.org/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("./data")]
    [InlineData("")]
    [InlineData("azureml:")]
    [InlineData("azureml://")]
    public void Ways_out_and_nonsense_are_refused(string uri)
    {
        Assert.False(ParsedUri.Parse(uri).TryGet(out _, out var problem));
        Assert.Equal(ProblemKind.Invalid, problem!.Kind);
    }

    [Theory]
    [InlineData("abfss://fs@acct.dfs.core.windows.net/x")]
    [InlineData("s3://bucket/x")]
    [InlineData("azureml://registries/azureml/models/m/versions/1")]
    public void Known_forms_without_an_engine_say_so(string uri)
    {
        Assert.False(ParsedUri.Parse(uri).TryGet(out _, out var problem));
        Assert.Equal("OperationNotSupported", problem!.Code);
    }
}
