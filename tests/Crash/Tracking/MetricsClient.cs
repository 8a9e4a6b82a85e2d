namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Logs points one by one and in batches with params and tags, some of them twice, in and out of order.</summary>
internal sealed class MetricsClient(string name, int seed) : TrackingClient(name, seed)
{
    private const int Runs = 3;
    private const long Begin = 1_700_000_000_000;

    /// <summary>The steps of this one are so far apart that a chart reads buckets.</summary>
    private const string Wide = "wide";

    private const int BucketSteps = 64;
    private const int BucketsOfChart = 1000;
    private static readonly string[] Keys = ["loss", "acc", "system/cpu", Wide];

    private readonly List<LoggedRun> runs = [];
    private string experiment = "";
    private int counter;

    protected override async Task SetUpAsync()
    {
        experiment = await Wire.ExperimentAsync(Name);
        for (var i = 0; i < Runs; i++)
        {
            runs.Add(new LoggedRun(await Wire.RunAsync(experiment)));
        }
    }

    protected override Change Next()
    {
        var run = Pick(runs);
        switch (Random.Next(8))
        {
            case 0:
                var (param, value) = ($"p{++counter}", $"{counter % 5}");
                return new Change(() => Wire.PostAsync("runs/log-parameter", new { run_id = run.Id, key = param, value }), () => run.Params[param] = value, Repeatable: true);
            case 1:
                var (tag, text) = ($"t{Random.Next(4)}", $"{++counter}");
                return new Change(() => Wire.PostAsync("runs/set-tag", new { run_id = run.Id, key = tag, value = text }), () => run.Tags[tag] = text, Repeatable: true);
            case < 5:
                var point = NewPoint(run);
                return new Change(() => Wire.PostAsync("runs/log-metric", Body(point, run.Id)), () => run.Points.Add(point), Repeatable: true);
            default:
                return Batch(run);
        }
    }

    private Change Batch(LoggedRun run)
    {
        var points = Enumerable.Range(0, Random.Next(1, 40)).Select(_ => NewPoint(run)).ToList();
        var (param, tag, value) = ($"p{++counter}", $"t{Random.Next(4)}", $"{counter}");
        var body = new { run_id = run.Id, metrics = points.Select(point => Body(point, null)), @params = new[] { new { key = param, value } }, tags = new[] { new { key = tag, value } } };
        return new Change(
            () => Wire.PostAsync("runs/log-batch", body),
            () =>
            {
                run.Points.UnionWith(points);
                (run.Params[param], run.Tags[tag]) = (value, value);
            },
            Repeatable: true);
    }

    private Point NewPoint(LoggedRun run)
    {
        if (run.Points.Count > 0 && Random.Next(12) == 0)
        {
            return run.Points.First();
        }

        var (key, step) = (Pick(Keys), (long)Random.Next(8) == 0 ? Random.Next(100) : ++counter);
        step = key == Wide ? (step * BucketSteps) + Random.Next(BucketSteps) : step;
        var value = Random.Next(15) switch { 0 => double.NaN, 1 => double.PositiveInfinity, 2 => double.NegativeInfinity, _ => ++counter + 0.25 };
        return new Point(key, Begin + (step * 10), step, value);
    }

    private static object Body(Point point, string? run) => run is null
        ? new { key = point.Key, value = point.Value.Wire(), timestamp = point.Time, step = point.Step }
        : new { run_id = run, key = point.Key, value = point.Value.Wire(), timestamp = point.Time, step = point.Step };

    protected override IReadOnlyCollection<string> Expected() =>
    [
        .. runs.SelectMany((run, i) => run.Params.Select(pair => $"{i} param {pair.Key}={pair.Value}")
            .Concat(run.Tags.Select(pair => $"{i} tag {pair.Key}={pair.Value}"))
            .Concat(run.Latest().Select(point => $"{i} latest {point}"))
            .Concat(run.Points.Select(point => $"{i} {point}"))),
    ];

    protected override async Task<IReadOnlyCollection<string>> ReadAsync()
    {
        var lines = new List<string>();
        foreach (var (run, i) in runs.Select((run, i) => (run, i)))
        {
            var data = (await Wire.GetAsync("runs/get?run_id=" + run.Id)).GetProperty("run").GetProperty("data");
            lines.AddRange(data.Pairs("params").Select(pair => $"{i} param {pair.Key}={pair.Value}"));
            lines.AddRange(data.Pairs("tags").Where(pair => pair.Key[0] == 't').Select(pair => $"{i} tag {pair.Key}={pair.Value}"));
            lines.AddRange(data.Items("metrics").Select(metric => $"{i} latest {Point.Of(metric)}"));
            foreach (var key in Keys)
            {
                lines.AddRange((await Wire.GetAsync($"metrics/get-history?run_id={run.Id}&metric_key={key}")).Items("metrics").Select(metric => $"{i} {Point.Of(metric)}"));
            }
        }

        return lines;
    }

    protected override async Task VerifyAsync()
    {
        await VerifySearchAsync();
        foreach (var run in runs)
        {
            foreach (var window in run.Points.Where(point => point.Key == Wide).GroupBy(point => point.Step / (BucketSteps * BucketsOfChart)))
            {
                await VerifyChartAsync(run, window.Key * BucketSteps * BucketsOfChart, [.. window]);
            }
        }
    }

    /// <summary>A chart shows the least and the greatest value of every bucket, and nothing that was not logged.</summary>
    private async Task VerifyChartAsync(LoggedRun run, long from, HashSet<Point> points)
    {
        var query = $"run_ids={run.Id}&metric_key={Wide}&max_results=2500&start_step={from}&end_step={from + (BucketSteps * BucketsOfChart) - 1}";
        var chart = (await Wire.GetAsync("metrics/get-history-bulk-interval?" + query)).Items("metrics").Select(Point.Of).ToHashSet();
        var extremes = points.Where(point => double.IsFinite(point.Value)).GroupBy(point => point.Step / BucketSteps)
            .Where(bucket => points.All(point => double.IsFinite(point.Value) || point.Step / BucketSteps != bucket.Key))
            .SelectMany(bucket => new[] { bucket.MinBy(point => point.Value)!, bucket.MaxBy(point => point.Value)! });
        Assert.True(points.IsSupersetOf(chart) && chart.IsSupersetOf(extremes), $"{Name}: the chart of {points.Count} points from step {from} on shows {chart.Count} of which some were never logged, or not every extreme");
    }

    private async Task VerifySearchAsync()
    {
        var latest = runs.Select(run => (run.Id, Loss: run.Latest().FirstOrDefault(point => point.Key == "loss"))).Where(run => run.Loss is not null && double.IsFinite(run.Loss.Value)).ToList();
        var ordered = latest.OrderByDescending(run => run.Loss!.Value).Select(run => run.Id).ToList();
        var sorted = (await SearchAsync("", "metrics.loss DESC")).Where(ordered.Contains);
        Assert.Equal(ordered, sorted);
        foreach (var (id, loss) in latest)
        {
            Assert.Equal([id], await SearchAsync(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"metrics.loss = {loss!.Value}")));
        }

        foreach (var run in runs)
        {
            foreach (var (key, value) in run.Tags)
            {
                Assert.Equal(runs.Where(one => one.Tags.GetValueOrDefault(key) == value).Select(one => one.Id).Order(StringComparer.Ordinal), (await SearchAsync($"tags.{key} = '{value}'")).Order(StringComparer.Ordinal));
            }

            if (run.Params.Count > 0)
            {
                var (key, value) = run.Params.Last();
                Assert.Equal(runs.Where(one => one.Params.GetValueOrDefault(key) == value).Select(one => one.Id).Order(StringComparer.Ordinal), (await SearchAsync($"params.{key} = '{value}'")).Order(StringComparer.Ordinal));
            }
        }
    }

    private async Task<List<string>> SearchAsync(string filter, params string[] order) =>
        [.. (await Wire.PostAsync("runs/search", new { experiment_ids = new[] { experiment }, filter, order_by = order })).Items("runs").Select(run => run.GetProperty("info").Text("run_id")!)];

    private sealed record Point(string Key, long Time, long Step, double Value)
    {
        public static Point Of(System.Text.Json.JsonElement metric) =>
            new(metric.Text("key")!, metric.GetProperty("timestamp").GetInt64(), metric.GetProperty("step").GetInt64(), metric.Number("value"));
    }

    private sealed record LoggedRun(string Id)
    {
        public HashSet<Point> Points { get; } = [];

        public Dictionary<string, string> Params { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, string> Tags { get; } = new(StringComparer.Ordinal);

        /// <summary>The greatest by step, time, NaN, value.</summary>
        public IEnumerable<Point> Latest() => Points.GroupBy(point => point.Key, StringComparer.Ordinal).Select(points => points.MaxBy(point => (point.Step, point.Time, double.IsNaN(point.Value), point.Value))!);
    }
}
