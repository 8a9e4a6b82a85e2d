using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Jobs;

namespace Zaffre.Tests.Http.Workspaces;

/// <summary>Lists of datastores with every parameter, and which one is the default. Each test has a server of its own, since a workspace has one default.</summary>
public sealed class DatastoreListTests : IAsyncLifetime
{
    private readonly ZaffreHost host = new();

    private Arm Arm => new(host);

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    [Theory]
    [InlineData("orderBy=name&orderByAsc=true", "alpha beta workspaceartifactstore workspaceblobstore")]
    [InlineData("orderBy=name", "alpha beta workspaceartifactstore workspaceblobstore")]
    [InlineData("orderBy=name&orderByAsc=false", "workspaceblobstore workspaceartifactstore beta alpha")]
    [InlineData("orderBy=createdtime&orderByAsc=true", "workspaceblobstore workspaceartifactstore beta alpha")]
    [InlineData("orderByAsc=false", "alpha beta workspaceartifactstore workspaceblobstore")]
    [InlineData("orderBy=modifiedtime&orderByAsc=true", "workspaceblobstore workspaceartifactstore alpha beta")]
    [InlineData("orderBy=modifiedtime&orderByAsc=false", "beta alpha workspaceartifactstore workspaceblobstore")]
    public async Task The_list_is_ordered_as_asked_whole_and_page_by_page(string order, string names)
    {
        (await Arm.PutAsync("~/datastores/beta", Far("1"))).Ok();
        var alpha = (await Arm.PutAsync("~/datastores/alpha", Far("1"))).Ok().At("systemData.lastModifiedAt");
        while (string.CompareOrdinal((await Arm.PutAsync("~/datastores/beta", Far("2"))).Ok().At("systemData.lastModifiedAt"), alpha) <= 0)
        {
            // Written again until the clock has moved on.
        }

        Assert.Equal(names, string.Join(' ', (await Arm.GetAsync("~/datastores?count=30&" + order)).Ok().Names()));

        var paged = new List<string>();
        for (var url = "~/datastores?count=1&" + order; url.Length > 0;)
        {
            var page = (await Arm.GetAsync(url)).Ok();
            paged.Add(Assert.Single(page.Names()));
            url = page.At("nextLink") is { Length: > 0 } next ? new Uri(next).PathAndQuery : "";
        }

        Assert.Equal(names, string.Join(' ', paged));
    }

    [Fact]
    public async Task Unknown_orders_and_foreign_continuations_are_refused()
    {
        Assert.Equal(["$orderBy"], (await Arm.GetAsync("~/datastores?orderBy=size")).Targets());
        Assert.Equal(["$orderBy"], (await Arm.GetAsync("~/data?$orderBy=createdtime%20sideways")).Targets());
        Assert.Equal(["$skip"], (await Arm.GetAsync("~/datastores?orderBy=name&$skip=k1")).Targets());
        Assert.Equal(["$skip"], (await Arm.GetAsync("~/datastores?$skip=nonsense")).Targets());
        Assert.Equal(["count"], (await Arm.GetAsync("~/datastores?count=-1")).Targets());
    }

    [Fact]
    public async Task Making_one_datastore_the_default_ends_that_of_the_other()
    {
        await MakeAsync("mine", isDefault: true);
        Assert.Equal(["mine"], (await Arm.GetAsync("~/datastores?count=30&isDefault=true&orderByAsc=false")).Ok().Names());
        Assert.Equal("false", (await Arm.GetAsync("~/datastores/workspaceblobstore")).Ok().At("properties.isDefault"));
        Assert.DoesNotContain("mine", (await Arm.GetAsync("~/datastores?isDefault=false")).Ok().Names());
        await MakeAsync("second", isDefault: true);
        Assert.Equal(["second"], (await Arm.GetAsync("~/datastores?isDefault=true")).Ok().Names());

        // What says nothing about it changes nothing.
        var mine = (await Arm.GetAsync("~/datastores/second")).Ok();
        mine["properties"]!.AsObject().Remove("isDefault");
        Assert.Equal("true", (await Arm.PutAsync("~/datastores/second", mine.ToJsonString())).Ok().At("properties.isDefault"));
        (await Arm.DeleteAsync("~/datastores/second")).Fails(HttpStatusCode.Conflict);
        mine["properties"]!["isDefault"] = false;
        Assert.Equal(["properties.isDefault"], (await Arm.PutAsync("~/datastores/second", mine.ToJsonString())).Targets());

        var builtIn = (await Arm.GetAsync("~/datastores/workspaceblobstore")).Ok();
        builtIn["properties"]!["isDefault"] = true;
        Assert.Equal("true", (await Arm.PutAsync("~/datastores/workspaceblobstore", builtIn.ToJsonString())).Ok().At("properties.isDefault"));
        Assert.Equal(["workspaceblobstore"], (await Arm.GetAsync("~/datastores?isDefault=true")).Ok().Names());
        Assert.Equal(HttpStatusCode.OK, (await Arm.DeleteAsync("~/datastores/second")).Status);
    }

    [Fact]
    public async Task Outputs_of_jobs_go_to_the_default_datastore()
    {
        await MakeAsync("mine", isDefault: true);
        var jobs = new JobClient(host);
        (await jobs.PutAsync("writes", """{"command":"echo x > ${{outputs.o}}/x.txt","outputs":{"o":{"jobOutputType":"uri_folder"}}}""")).Ok();
        Assert.Equal("Completed", (await jobs.EndAsync("writes")).Job.At("properties.status"));
        (await Arm.PutAsync("~/models/written/versions/1", """{"properties":{"modelUri":"azureml://jobs/writes/outputs/o/paths/x.txt"}}""")).Ok();
        Assert.Contains("/datastores/mine/", (await Arm.GetAsync("~/models/written/versions/1")).Ok().At("properties.modelUri"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_default_that_nothing_can_write_to_is_refused() =>
        Assert.Equal(["properties.isDefault"], (await Arm.PutAsync("~/datastores/far", Far("1").Replace("\"tags\"", "\"isDefault\":true,\"tags\"", StringComparison.Ordinal))).Targets());

    [Theory]
    [InlineData("a.b")]
    [InlineData("_a")]
    [InlineData("a%20b")]
    public async Task A_name_that_azure_refuses_is_refused(string name) => Assert.Equal(["name"], (await Arm.PutAsync("~/datastores/" + name, Far("1"))).Targets());

    private static string Far(string mark) => $$$$"""{"properties":{"datastoreType":"AzureBlob","accountName":"far","containerName":"c","credentials":{"credentialsType":"None"},"tags":{"mark":"{{{{mark}}}}"}}}""";

    private async Task MakeAsync(string name, bool isDefault)
    {
        var account = (await Arm.GetAsync("~/datastores/workspaceblobstore")).Ok().At("properties.accountName");
        var body = new JsonObject
        {
            ["properties"] = new JsonObject
            {
                ["datastoreType"] = "AzureBlob", ["accountName"] = account, ["containerName"] = name, ["isDefault"] = isDefault, ["credentials"] = new JsonObject { ["credentialsType"] = "None" },
            },
        };
        (await Arm.PutAsync("~/datastores/" + name, body.ToJsonString())).Ok();
    }
}
