using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Web;

/// <summary>Hundreds of items, page by page, as the SDKs follow <c>nextLink</c>: they put their own query parameters on it again.</summary>
public sealed class PagingTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const int Many = 250;

    private readonly Arm arm = new(host);

    [Fact]
    public async Task Every_item_comes_once_with_filters_kept_and_the_last_page_has_no_next_link()
    {
        await Parallel.ForAsync(0, Many, async (i, _) => (await new Arm(host).PutAsync($"~/data/many/versions/{i:000}", Version(i))).Ok());
        foreach (var (query, count) in new[] { ("", Many), ("&$orderBy=createdtime%20desc", Many), ("&$orderBy=name%20desc", Many), ("&$tags=parity%3Deven", Many / 2), ("&$top=7&$tags=parity%3Deven", Many / 2) })
        {
            var seen = await AllAsync("~/data/many/versions?listViewType=ActiveOnly" + query);
            Assert.Equal(count, seen.Count);
            Assert.Equal(count, seen.Distinct(StringComparer.Ordinal).Count());
        }

        Assert.Equal("249", (await arm.GetAsync("~/data/many/versions?$orderBy=name%20desc&$top=1")).Ok().Names().Single());
    }

    [Fact]
    public async Task A_number_in_skip_is_an_offset()
    {
        for (var i = 0; i < 4; i++)
        {
            (await arm.PutAsync($"~/data/few/versions/{i}", Version(i))).Ok();
        }

        Assert.Equal(["2", "3"], (await arm.GetAsync("~/data/few/versions?$skip=2")).Ok().Names());
        Assert.Equal(["1"], (await arm.GetAsync("~/data/few/versions?offset=1&$top=1")).Ok().Names());
        Assert.Empty((await arm.GetAsync("~/data/few/versions?$skip=9")).Ok().Names());
    }

    private static string Version(int i) =>
        $$$$"""{"properties":{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/{{{{i}}}}","tags":{"parity":"{{{{(i % 2 == 0 ? "even" : "odd")}}}}"}}}""";

    private async Task<List<string>> AllAsync(string first)
    {
        var seen = new List<string>();
        var own = first[(first.IndexOf('?', StringComparison.Ordinal) + 1)..];
        for (var url = first; url.Length > 0;)
        {
            var page = (await arm.GetAsync(url)).Ok();
            seen.AddRange(page.Names());
            Assert.True(page["nextLink"] is null || page.Names().Length > 0, "an empty page that is not the last");
            url = page.At("nextLink") is { Length: > 0 } next ? new Uri(next).PathAndQuery + "&" + own : "";
        }

        return seen;
    }
}
