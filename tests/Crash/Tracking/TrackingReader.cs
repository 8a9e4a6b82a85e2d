using System.Text.Json;

namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Searches, sorts, pages and draws what others are writing: each answer must be right in itself.</summary>
internal sealed class TrackingReader(int seed, string workspace)
{
    private const int Page = 7;
    private static readonly string[] Fields = ["id:", "event:", "data:", "retry:"];
    private readonly Random random = new(seed);
    private string[] experiments = ["0"];

    public Task ReadAsync(TrackingWire wire) => random.Next(7) switch
    {
        0 => ExperimentsAsync(wire),
        1 => SortedAsync(wire),
        2 => PagedAsync(wire),
        3 => ChartsAsync(wire),
        4 => VersionsAsync(wire),
        5 => EventsAsync(wire),
        _ => TracesAsync(wire),
    };

    private async Task ExperimentsAsync(TrackingWire wire)
    {
        var found = (await wire.PostAsync("experiments/search", new { max_results = 100, order_by = new[] { "name DESC" } })).Items("experiments").ToList();
        var names = found.ConvertAll(experiment => experiment.Text("name")!);
        Assert.Equal(names.OrderDescending(StringComparer.Ordinal), names);
        Assert.All(found, experiment => Assert.Equal("active", experiment.Text("lifecycle_stage")));
        experiments = [.. found.OrderBy(_ => random.Next()).Take(10).Select(experiment => experiment.Text("experiment_id")!)];
    }

    private async Task SortedAsync(TrackingWire wire)
    {
        var least = random.Next(200);
        var runs = await SearchAsync(wire, $"metrics.loss > {least}", "metrics.loss DESC");
        var values = runs.ConvertAll(run => run.GetProperty("data").Items("metrics").Single(metric => metric.Text("key") == "loss").Number("value"));
        Assert.All(values, value => Assert.True(double.IsNaN(value) || value > least, $"{value} is not more than {least}"));
        var numbers = values.Where(value => !double.IsNaN(value)).ToList();
        Assert.Equal(numbers.OrderDescending(), numbers);
        Assert.All(await SearchAsync(wire, "params.p1 = '1' AND attributes.status = 'RUNNING'", "tags.t1 ASC"), run => Assert.Equal("1", run.GetProperty("data").Pairs("params")["p1"]));
    }

    // Whatever is written meanwhile: no run twice.
    private async Task PagedAsync(TrackingWire wire)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        string? token = null;
        for (var page = 0; page < 5; page++)
        {
            var answer = await wire.PostAsync("runs/search", new { experiment_ids = experiments, max_results = Page, page_token = token ?? "", run_view_type = "ALL" });
            var ids = answer.Items("runs").Select(run => run.GetProperty("info").Text("run_id")!).ToList();
            Assert.True(ids.Count <= Page && ids.TrueForAll(seen.Add), $"page {page} shows a run again");
            if ((token = answer.Text("next_page_token")) is null)
            {
                return;
            }

            Assert.Equal(Page, ids.Count);
        }
    }

    private async Task ChartsAsync(TrackingWire wire)
    {
        var ids = (await SearchAsync(wire, "metrics.loss > 0")).Take(10).Select(run => run.GetProperty("info").Text("run_id")!).ToList();
        if (ids.Count > 0)
        {
            var chart = (await wire.GetAsync($"metrics/get-history-bulk-interval?{string.Join('&', ids.Select(id => "run_ids=" + id))}&metric_key=loss&max_results=100")).Items("metrics").ToList();
            Assert.All(chart, point => Assert.Contains(point.Text("run_id"), ids));
            foreach (var run in chart.GroupBy(point => point.Text("run_id"), StringComparer.Ordinal))
            {
                var steps = run.Select(point => point.GetProperty("step").GetInt64()).ToList();
                Assert.Equal(steps.Order(), steps);
            }
        }
    }

    private async Task EventsAsync(TrackingWire wire)
    {
        var lines = await wire.FollowAsync($"/zaffre/v1{workspace}/experiments/{experiments[0]}/events?from=start", TimeSpan.FromMilliseconds(random.Next(1000)));
        Assert.All(lines, line => Assert.True(line.Length == 0 || line[0] == ':' || Fields.Any(field => line.StartsWith(field, StringComparison.Ordinal)), line));
    }

    private static async Task VersionsAsync(TrackingWire wire)
    {
        var versions = (await wire.PostAsync("model-versions/search", new { max_results = 50, order_by = new[] { "creation_timestamp ASC" } })).Items("model_versions").ToList();
        var times = versions.ConvertAll(version => version.GetProperty("creation_timestamp").GetInt64());
        Assert.Equal(times.Order(), times);
    }

    private async Task TracesAsync(TrackingWire wire)
    {
        var locations = experiments.Select(id => new { type = "MLFLOW_EXPERIMENT", mlflow_experiment = new { experiment_id = id } });
        var found = await wire.PostAsync(TrackingWire.Api3 + "traces/search", new { locations, filter = "attributes.status = 'OK'", max_results = 20 });
        Assert.All(found.Items("traces"), trace => Assert.Equal("OK", trace.Text("state")));
    }

    private async Task<List<JsonElement>> SearchAsync(TrackingWire wire, string filter, params string[] order) =>
        [.. (await wire.PostAsync("runs/search", new { experiment_ids = experiments, filter, order_by = order, max_results = 50 })).Items("runs")];
}
