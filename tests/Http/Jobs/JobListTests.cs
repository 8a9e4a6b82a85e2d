using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Lists of hundreds of jobs and of a job's children.</summary>
public sealed class JobListTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const int Many = 210;

    private readonly JobClient jobs = new(host);

    private Arm Arm => jobs.Arm;

    [Fact]
    public async Task Hundreds_of_jobs_are_paged_newest_first_with_filters_kept()
    {
        // One runs and the others wait, so that nothing but the list is tested.
        (await Arm.PutAsync("~/computes/narrow", """{"location":"local","properties":{"computeType":"AmlCompute","properties":{"scaleSettings":{"maxNodeCount":1}}}}""")).Ok();
        for (var i = 0; i < Many; i++)
        {
            (await jobs.PutAsync($"many-{i:000}", $$$$"""{"command":"sleep 1000","computeId":"narrow","tags":{"parity":"{{{{(i % 2 == 0 ? "even" : "odd")}}}}"}}""")).Ok();
        }

        foreach (var (query, count) in new[] { ("jobType=Command&tag=parity", Many), ("tag=parity%3Dodd", Many / 2), ("tag=parity&listViewType=ArchivedOnly", 0), ("jobType=Pipeline", 0), ("scheduled=true", 0), ("listViewType=All&tag=parity&$skip=200", 10) })
        {
            var seen = new List<string>();
            for (var url = "~/jobs?" + query; url.Length > 0;)
            {
                var page = (await Arm.GetAsync(url)).Ok();
                seen.AddRange(page.Names());
                url = page.At("nextLink") is { Length: > 0 } next ? new Uri(next).PathAndQuery : "";
            }

            Assert.Equal(count, seen.Count);
            Assert.Equal(seen.OrderDescending(StringComparer.Ordinal), seen);
        }

        await jobs.CancelAsync("many-000");
    }

    [Fact]
    public async Task A_whole_job_put_back_with_what_only_answers_hold_changes_what_is_said_about_it()
    {
        (await jobs.PutAsync("whole", """{"command":"true","tags":{"a":"1"}}""")).Ok();
        await jobs.EndAsync("whole");
        var whole = (await Arm.GetAsync("~/jobs/whole")).Ok();
        whole["properties"]!["displayName"] = "Another name";
        whole["properties"]!["services"]!["Studio"]!["status"] = null;
        Assert.Equal(HttpStatusCode.OK, (await Arm.PutAsync("~/jobs/whole", whole.ToJsonString())).Status);
        Assert.Equal("Another name", (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/whole")).Ok().At("displayName"));
        Assert.Empty((await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/whole/serviceinstances/0")).Ok()["instances"]!.AsObject());
    }

    [Fact]
    public async Task Uris_are_resolved_under_the_ids_they_were_asked_by()
    {
        (await Arm.PutAsync("~/data/resolved/versions/1", """{"properties":{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/x.csv"}}""")).Ok();
        (await Arm.PutAsync("~/models/resolved/versions/1", """{"properties":{"modelUri":"azureml://datastores/workspaceblobstore/paths/m"}}""")).Ok();
        var data = $"{Arm.Main.Id}/data/resolved/versions/1";
        var model = $"azureml:{Arm.Main.Id}/models/resolved/versions/1";
        var found = (await Arm.PostAsync($"/data/v1.0{Arm.Main.Id}/dataversion/batchGetResolvedUris", new JsonObject { ["values"] = new JsonArray(data, "azureml:nothing:1") }.ToJsonString())).Ok()["values"]!.AsObject();
        Assert.Equal([data], found.Select(pair => pair.Key));
        Assert.Equal("UriFile", found[data]!["type"]!.GetValue<string>());
        Assert.EndsWith("/datastores/workspaceblobstore/paths/x.csv", found[data]!["uri"]!.GetValue<string>(), StringComparison.Ordinal);
        found = (await Arm.PostAsync($"/modelregistry/v1.0{Arm.Main.Id}/models/batchGetResolvedUris", new JsonObject { ["values"] = new JsonArray(model) }.ToJsonString())).Ok()["values"]!.AsObject();
        Assert.EndsWith("/datastores/workspaceblobstore/paths/m", found[model]!["path"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(["values"], (await Arm.PostAsync($"/data/v1.0{Arm.Main.Id}/dataversion/batchGetResolvedUris", """{"values":"x"}""")).Targets());
    }
}
