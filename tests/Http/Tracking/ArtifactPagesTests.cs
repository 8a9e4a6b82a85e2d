using System.Net.Http.Json;
using System.Text.Json;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Tracking;

public sealed class ArtifactPagesTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    [Fact]
    public async Task Artifacts_come_in_pages_each_once()
    {
        const int Many = 5_003;
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var owner = await host.OwnerAsync();
        var run = await mlflow.RunAsync();
        var place = (await host.Get<IDatastores>().ResolveAsync(host.Workspace, RunArtifacts.Datastore, default)).Value.Child(RunArtifacts.Prefix(run) + "/many");
        var folder = host.Get<IBlobStore>().EnsureFolder(new BlobAddress(place.Account, place.Container, place.Path)).Value;
        for (var i = 0; i < Many; i++)
        {
            // Files are the truth of storage: what lies there is there.
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{i:00000}"), []);
        }

        foreach (var list in new[] { $"/history/v1.0{host.Workspace.Id}/experimentids/0/runs/{run}/artifacts?path=many", $"/artifact/v2.0{host.Workspace.Id}/artifacts/ExperimentRun/dcid.{run}?path=many" })
        {
            var seen = new List<string>();
            for (string? url = list; url is not null;)
            {
                var page = await owner.GetFromJsonAsync<JsonElement>(new Uri(url, UriKind.RelativeOrAbsolute));
                seen.AddRange(page.GetProperty("value").EnumerateArray().Select(item => item.GetProperty("path").GetString()!));
                url = page.GetProperty("nextLink").GetString();
            }

            Assert.Equal(Enumerable.Range(0, Many).Select(i => $"many/{i:00000}"), seen);
        }
    }
}
