namespace Zaffre.Tests.Http.Tracking;

public sealed class ConcurrencyTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    [Fact]
    public async Task Clients_that_log_the_same_points_at_once_lose_and_double_nothing()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => mlflow.RunAsync()));
        await Parallel.ForEachAsync(Enumerable.Range(0, 400), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            // Every point is sent twice, as a client does that lost an answer; metric names appear while others log to them.
            var (run, step) = (runs[i % 4], i / 8);
            await mlflow.PostAsync("runs/log-batch", new
            {
                run_id = run,
                metrics = new object[] { new { key = "loss", value = step, timestamp = step, step }, new { key = "m" + step, value = "NaN", timestamp = 1 } },
                @params = new[] { new { key = "p", value = "same" } },
            });
        });

        foreach (var run in runs)
        {
            var history = await mlflow.GetAsync($"metrics/get-history?run_id={run}&metric_key=loss");
            Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), history.GetProperty("metrics").EnumerateArray().Select(m => m.GetProperty("step").GetInt64()));
            var data = (await mlflow.RunDataAsync(run)).GetProperty("data");
            Assert.Equal(51, data.GetProperty("metrics").GetArrayLength());
            Assert.Equal(49, data.GetProperty("metrics").EnumerateArray().Single(m => m.GetProperty("key").GetString() == "loss").GetProperty("value").GetDouble());
        }
    }
}
