using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Database;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Tracking.Live;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Live events of runs and experiments.</summary>
public sealed class EventTests : IAsyncLifetime
{
    // A stream that waits for its heartbeat would not get anything in these tests.
    private readonly ZaffreHost host = new() { Also = services => services.AddSingleton(new FeedOptions(TimeSpan.FromHours(1))) };

    private const string Reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

    private WorkspaceRef Workspace => Mlflow.Default(host);

    private string Base => $"/zaffre/v1{Workspace.Id}";

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_reader_sees_params_tags_metrics_states_and_logs_as_they_come_and_the_end()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await JobRunAsync();
        using var client = await host.OwnerAsync();
        using var events = await EventReader.OpenAsync(client, $"{Base}/jobs/{run}/events");
        await events.UntilAsync("status Queued");
        await mlflow.PostAsync("runs/log-batch", new
        {
            run_id = run,
            metrics = new object[] { new { key = "loss", value = (object)0.5, timestamp = 1, step = 0 }, new { key = "loss", value = (object)"NaN", timestamp = 2, step = 1 }, new { key = "up", value = (object)"Infinity", timestamp = 2, step = 1 } },
            @params = new[] { new { key = "lr", value = "0.1" } },
            tags = new[] { new { key = "a", value = "1" } },
        });
        var batch = await events.UntilAsync("metric loss 1 NaN");
        Assert.Equal(["param lr=0.1", "tag a=1", "metric loss 0 0.5", "metric loss 1 NaN", "metric up 1 Infinity"], batch.SelectMany(one => one.Facts));
        Assert.All(batch, one => Assert.Equal(run, one.Data.GetProperty("run").GetString()));

        await mlflow.PostAsync("runs/delete-tag", new { run_id = run, key = "a" });
        await events.UntilAsync("gone a");
        await AppendAsync(run, "user_logs/std_log.txt", "grüße\r\n");
        await MoveAsync(run, RunStatus.Running);
        await events.UntilAsync("log user_logs/std_log.txt 0 grüße\r\n");
        await AppendAsync(run, "user_logs/std_log.txt", "two\n");
        await events.UntilAsync("log user_logs/std_log.txt 9 two\n");
        await AppendAsync(run, "user_logs/std_log_1.txt", "another file\n");
        await events.UntilAsync("log user_logs/std_log_1.txt 0 another file\n");
        await AppendAsync(run, "user_logs/std_log.txt", "last");
        await MoveAsync(run, RunStatus.Failed, new RunError("UserError", "exit code 1"));
        var rest = await events.AllAsync();
        Assert.Equal(["end Failed", "log user_logs/std_log.txt 13 last", "status Failed"], rest.SelectMany(one => one.Facts).Order(StringComparer.Ordinal).TakeLast(3));
        Assert.Equal("end Failed", rest[^1].Facts.Single());
        var failed = rest.Single(one => one.Name == "status").Data;
        Assert.Equal(("UserError", "exit code 1", "FAILED"), (failed.GetProperty("error").GetProperty("code").GetString(), failed.GetProperty("error").GetProperty("message").GetString(), failed.GetProperty("mlflowStatus").GetString()));

        using var again = await GetAsync(client, $"{Base}/runs/{run}/events", rest[^1].Id);
        Assert.Equal(HttpStatusCode.NoContent, again.StatusCode);
    }

    [Fact]
    public async Task A_reader_that_was_cut_off_after_any_event_goes_on_without_loss_and_without_double_also_after_a_restart()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await JobRunAsync();
        using var client = await host.OwnerAsync();
        var live = await EventReader.OpenAsync(client, $"{Base}/runs/{run}/events");
        await live.UntilAsync("status Queued");
        await MoveAsync(run, RunStatus.Running);
        await AppendAsync(run, "user_logs/std_log.txt", "one\n");
        await live.UntilAsync("log user_logs/std_log.txt 0 one\n");
        foreach (var step in Enumerable.Range(0, 2))
        {
            // Times that run backwards, one point twice, and the point of the round before again.
            var point = new { key = "m", value = step, timestamp = 1000 - step, step };
            await mlflow.PostAsync("runs/log-batch", new
            {
                run_id = run,
                metrics = new object[] { point, point, new { key = "m", value = Math.Max(0, step - 1), timestamp = 1001 - Math.Max(1, step), step = Math.Max(0, step - 1) }, new { key = "n" + step, value = 1, timestamp = 5, step } },
                @params = new[] { new { key = "p" + step, value = "v" } },
                tags = new[] { new { key = "t" + step, value = "v" }, new { key = "mlflow.runName", value = "n" + step } },
            });
        }

        await mlflow.PostAsync("runs/log-batch", new { run_id = run, metrics = Enumerable.Range(0, 1000).Select(step => new { key = "long", value = step, timestamp = step, step }) });
        await mlflow.PostAsync("runs/log-batch", new { run_id = run, metrics = Enumerable.Range(1000, 40).Select(step => new { key = "long", value = step, timestamp = step, step }) });
        await AppendAsync(run, "user_logs/std_log.txt", "two\n");
        await MoveAsync(run, RunStatus.Completed);
        var seen = new List<SentEvent>();
        using (live)
        {
            seen.AddRange(await live.AllAsync());
        }

        await host.RestartAsync();
        using var restarted = await host.OwnerAsync();
        using var whole = await EventReader.OpenAsync(restarted, $"{Base}/runs/{run}/events?from=start");
        var stored = await whole.AllAsync();
        var all = stored.SelectMany(one => one.Facts).ToList();
        Assert.Equal(all.Count, all.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(2 + 2 + 1040, all.Count(fact => fact.StartsWith("metric", StringComparison.Ordinal)));

        // A log comes in pieces as it grew, or in one: what counts is the text. Of a tag that was set again the store knows the last value.
        static IEnumerable<string> Told(IEnumerable<SentEvent> events) => events.Where(one => one.Name != "log").SelectMany(one => one.Facts).Where(fact => !fact.StartsWith("tag mlflow.runName", StringComparison.Ordinal))
            .Append("log " + string.Concat(events.Where(one => one.Name == "log").OrderBy(one => one.Data.GetProperty("offset").GetInt64()).Select(one => one.Data.GetProperty("text")))).Order(StringComparer.Ordinal);

        foreach (var events in new[] { seen, stored })
        {
            for (var cut = 0; cut < events.Count - 1; cut++)
            {
                using var resumed = await EventReader.OpenAsync(restarted, $"{Base}/runs/{run}/events", events[cut].Id);
                var rest = await resumed.AllAsync();
                Assert.Equal(Told(events.Skip(cut + 1)), Told(rest));
            }
        }
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_up_nobody_and_still_gets_everything_once()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        using var client = await host.OwnerAsync();
        using var slow = await EventReader.OpenAsync(client, $"{Base}/runs/{run}/events?events=metric,status");
        using var quick = await EventReader.OpenAsync(client, $"{Base}/runs/{run}/events?events=metric");
        for (var batch = 0; batch < 30; batch++)
        {
            var first = batch * 1000;
            await mlflow.PostAsync("runs/log-batch", new { run_id = run, metrics = Enumerable.Range(first, 1000).Select(step => new { key = "m" + (step % 7), value = step, timestamp = step, step }) });
        }

        await mlflow.PostAsync("runs/update", new { run_id = run, status = "FINISHED" });
        foreach (var reader in new[] { quick, slow })
        {
            var steps = (await reader.AllAsync()).Where(one => one.Name == "metric").SelectMany(one => one.Data.GetProperty("metrics").EnumerateArray()).Select(point => point.GetProperty("step").GetInt32()).Order().ToList();
            Assert.Equal(Enumerable.Range(0, 30_000), steps);
        }
    }

    [Fact]
    public async Task Readers_that_leave_leave_nothing_behind()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        using var client = await host.OwnerAsync();
        var readers = new List<EventReader>();
        for (var i = 0; i < 50; i++)
        {
            readers.Add(await EventReader.OpenAsync(client, $"{Base}/runs/{run}/events"));
        }

        await mlflow.PostAsync("runs/log-metric", new { run_id = run, key = "m", value = 1, timestamp = 1 });
        foreach (var reader in readers)
        {
            await reader.UntilAsync("metric m 0 1");
            reader.Dispose();
        }

        while (host.Get<RunFeed>().Count > 0)
        {
            await Task.Yield();
        }
    }

    [Fact]
    public async Task An_experiment_tells_of_all_its_runs_from_now_on_and_goes_on_after_a_restart()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var (experiment, other) = (await mlflow.ExperimentAsync(), await mlflow.ExperimentAsync());
        var (before, elsewhere) = (await mlflow.RunAsync(experiment), await mlflow.RunAsync(other));
        await LogAsync(mlflow, before, "old", 0);
        using var client = await host.OwnerAsync();
        string? last;
        using (var events = await EventReader.OpenAsync(client, $"{Base}/experiments/{experiment}/events"))
        {
            await events.NextAsync();
            var during = await mlflow.RunAsync(experiment);
            await LogAsync(mlflow, elsewhere, "m", 1);
            await LogAsync(mlflow, before, "m", 2);
            await LogAsync(mlflow, during, "m", 3);
            var seen = await events.UntilAsync("metric m 3 3");
            Assert.Equal(["status Running", "metric m 2 2", "metric m 3 3"], seen.Where(one => one.Name != "tag").SelectMany(one => one.Facts));
            Assert.Equal([during, before, during], seen.Where(one => one.Name != "tag").Select(one => one.Data.GetProperty("run").GetString()));
            last = seen[^1].Id;
        }

        await LogAsync(mlflow, before, "late", 4);
        await host.RestartAsync();
        using var restarted = await Mlflow.OwnerAsync(host);
        await LogAsync(restarted, await restarted.RunAsync(experiment), "m", 5);
        using var again = await host.OwnerAsync();
        using var resumed = await EventReader.OpenAsync(again, $"{Base}/experiments/{experiment}/events?events=metric", last);
        Assert.Equal(["metric late 4 4", "metric m 5 5"], (await resumed.UntilAsync("metric m 5 5")).SelectMany(one => one.Facts));
    }

    [Fact]
    public async Task A_stream_ends_when_its_run_is_deleted()
    {
        var run = await JobRunAsync();
        using var client = await host.OwnerAsync();
        using var events = await EventReader.OpenAsync(client, $"{Base}/runs/{run}/events");
        await events.UntilAsync("status Queued");
        await host.Get<IDatabase>().WriteAsync(
            scope =>
            {
                foreach (var deletion in host.Services.GetServices<Zaffre.Resources.IScopedDeletion>())
                {
                    deletion.Delete(scope, Workspace.Child("jobs", run));
                }
            },
            default);
        Assert.Equal("end Deleted", (await events.AllAsync())[^1].Facts.Single());
    }

    [Fact]
    public async Task What_is_not_there_or_not_allowed_or_not_understood_is_refused()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        using var client = await host.OwnerAsync();
        await RefusedAsync(client, $"{Base}/runs/nobody/events", HttpStatusCode.NotFound, "ResourceNotFound");
        await RefusedAsync(client, $"{Base}/experiments/nobody/events", HttpStatusCode.NotFound, "ResourceNotFound");
        await RefusedAsync(client, $"/zaffre/v1{Workspace.Id.Parent.Child("workspaces", "other")}/runs/{run}/events", HttpStatusCode.NotFound, "ResourceNotFound");
        await RefusedAsync(client, $"{Base}/runs/{run}/events?events=metric,nothing&from=later", HttpStatusCode.BadRequest, "nothing", "later");
        await RefusedAsync(client, $"{Base}/experiments/0/events?events=log", HttpStatusCode.BadRequest, "log");
        foreach (var id in new[] { "x", "1,", "99999999999", "1,2,3,9", "1,2,3,4,5", "5,1,1,1", "1~abc.5", "1~abcdefabcdef.-5", new string('9', 5000), "0,0,999999,1" })
        {
            using var answer = await GetAsync(client, $"{Base}/runs/{run}/events", id);
            Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, id);
        }

        using var reader = await host.PrincipalAsync(Reader);
        using (var allowed = await EventReader.OpenAsync(reader, $"{Base}/runs/{run}/events"))
        {
            await allowed.UntilAsync("status Running");
        }

        using var stranger = await host.PrincipalAsync(null);
        foreach (var path in new[] { $"runs/{run}", "runs/nobody", $"jobs/{run}", "experiments/0", "experiments/nobody" })
        {
            await RefusedAsync(stranger, $"{Base}/{path}/events", HttpStatusCode.Forbidden, "AuthorizationFailed");
        }

        using var anonymous = host.Anonymous();
        await RefusedAsync(anonymous, $"{Base}/runs/{run}/events", HttpStatusCode.Unauthorized, "AuthenticationFailed");
    }

    private static Task<System.Text.Json.JsonElement> LogAsync(Mlflow mlflow, string run, string key, int step) => mlflow.PostAsync("runs/log-metric", new { run_id = run, key, value = step, timestamp = 7, step });

    private static async Task<HttpResponseMessage> GetAsync(HttpClient client, string path, string? lastId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
        return await client.SendAsync(request);
    }

    private static async Task RefusedAsync(HttpClient client, string path, HttpStatusCode status, params string[] said)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{path}: {answer.StatusCode} {text}");
        Assert.All(said, word => Assert.Contains(word, text, StringComparison.Ordinal));
    }

    private async Task<string> JobRunAsync()
    {
        var id = "job-" + Guid.NewGuid().ToString("N");
        await host.Get<IDatabase>().WriteAsync(scope => host.Get<IRuns>().Create(scope, new NewRun { Workspace = Workspace, Id = id, Experiment = "events", Status = RunStatus.Queued }), default);
        return id;
    }

    private Task<bool> MoveAsync(string run, RunStatus status, RunError? error = null) =>
        host.Get<IDatabase>().WriteAsync(scope => host.Get<IRuns>().SetStatus(scope, Workspace, run, status, error), default);

    private async Task AppendAsync(string run, string path, string text)
    {
        var place = (await host.Get<IDatastores>().ResolveAsync(Workspace, RunArtifacts.Datastore, default)).Value.Child($"{RunArtifacts.Prefix(run)}/{path}");
        Assert.True((await host.Get<IBlobStore>().AppendAsync(new BlobAddress(place.Account, place.Container, place.Path), Encoding.UTF8.GetBytes(text), default)).Succeeded);
    }
}
