using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Runs side by side.</summary>
public sealed class CompareTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

    private string Base => $"/zaffre/v1{host.Workspace.Id}/compare";

    [Fact]
    public async Task Params_metrics_tags_inputs_and_artifacts_are_laid_side_by_side()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var (a, b) = (await mlflow.RunAsync(), await mlflow.RunAsync());
        foreach (var (run, rate, values) in new[] { (a, "0.1", new object[] { 3.0, 1.0, "NaN", 2.0 }), (b, "0.2", [5.0, 4.0, "Infinity", 2.0]) })
        {
            await mlflow.PostAsync("runs/log-batch", new
            {
                run_id = run,
                metrics = values.Select((value, step) => new { key = "loss", value, timestamp = 1000 + step, step }).Append(new { key = "system/cpu", value = (object)7.0, timestamp = 1, step = 0 })
                    .Append(new { key = "nan", value = (object)"NaN", timestamp = 1, step = 0 }),
                @params = new[] { new { key = "rate", value = rate }, new { key = "same", value = "x" } },
                tags = new[] { new { key = "t", value = rate } },
            });
            await mlflow.PostAsync("runs/log-inputs", new { run_id = run, datasets = new[] { new { tags = new[] { new { key = "mlflow.data.context", value = "train" } }, dataset = new { name = "d", digest = rate, source_type = "http", source = "{}" } } } });
            await PutAsync(run, "same.txt", "equal");
            await PutAsync(run, "other.txt", rate);
        }

        await mlflow.PostAsync("runs/log-parameter", new { run_id = a, key = "only", value = "" });
        await PutAsync(a, "alone.txt", "");
        var found = await OkAsync($"?runs={a},{b}");
        Assert.Equal([a, b], found["runs"]!.AsArray().Select(run => run!.ToString()));
        Assert.Equal(["only different [\"\",null]", "rate different [\"0.1\",\"0.2\"]", "same same [\"x\",\"x\"]"], Rows(found, "params"));
        Assert.Equal("different", Row(found, "tags", "t")["state"]!.ToString());
        Assert.Equal("same", Row(found, "attributes", "experiment")["state"]!.ToString());
        Assert.Equal(["Running", "Running"], Row(found, "attributes", "status")["values"]!.AsArray().Select(value => value!.ToString()));
        var loss = Row(found, "metrics", "loss");
        Assert.Equal(("same", "metric"), (loss["state"]!.ToString(), loss["kind"]!.ToString()));
        Assert.Equal("""{"latest":2,"step":3,"timestamp":1003,"min":1,"max":3,"hasNaN":true,"steps":4}""", loss["values"]![0]!.ToJsonString());
        Assert.Equal("Infinity", loss["values"]![1]!["max"]!.ToString());
        Assert.Equal(("same", "NaN"), (Row(found, "metrics", "nan")["state"]!.ToString(), Row(found, "metrics", "nan")["values"]![0]!["latest"]!.ToString()));
        Assert.Equal("system", Row(found, "metrics", "system/cpu")["kind"]!.ToString());
        Assert.Equal(("different", "0.2"), (Row(found, "inputs", "d (train)")["state"]!.ToString(), Row(found, "inputs", "d (train)")["values"]![1]!["digest"]!.ToString()));
        Assert.Equal(["alone.txt different", "other.txt different", "same.txt same"], found["artifacts"]!["rows"]!.AsArray().Select(row => $"{row!["name"]} {row["state"]}"));
        Assert.Equal(64, Row(found, "artifacts", "same.txt")["values"]![0]!["sha256"]!.ToString().Length);

        var different = await OkAsync($"?runs={a},{b}&only=different&include=params,metrics");
        Assert.Equal(["only", "rate"], different["params"]!["rows"]!.AsArray().Select(row => row!["name"]!.ToString()));
        Assert.Equal(["runs", "params", "metrics"], different.Select(member => member.Key));
    }

    [Fact]
    public async Task Charts_get_columns_of_numbers_and_categories_with_what_is_missing_or_not_finite()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var runs = new List<string>();
        foreach (var (kind, depth, score) in new[] { ("tree", "1", (object)0.5), ("linear", "nan", "NaN"), ("tree", "3", "Infinity"), ("tree", "2e1", 0.25) })
        {
            var run = await mlflow.RunAsync();
            runs.Add(run);
            await mlflow.PostAsync("runs/log-batch", new { run_id = run, metrics = new[] { new { key = "score", value = score, timestamp = 1, step = 0 } }, @params = new[] { new { key = "kind", value = kind }, new { key = "depth", value = depth } } });
        }

        runs.Add(await mlflow.RunAsync());
        var list = string.Join(',', runs);
        var columns = (await OkAsync($"?runs={list}&view=parallel"))["columns"]!.AsArray().ToDictionary(column => column!["key"]!.ToString(), column => column!);
        Assert.Equal("""{"key":"params.depth","kind":"params","name":"depth","type":"number","min":1,"max":20,"notFinite":1,"missing":1,"values":[1,"NaN",3,20,null]}""", columns["params.depth"].ToJsonString());
        Assert.Equal("""{"key":"params.kind","kind":"params","name":"kind","type":"category","categories":["linear","tree"],"categoryCount":2,"missing":1,"values":["tree","linear","tree","tree",null]}""", columns["params.kind"].ToJsonString());
        Assert.Equal("""{"key":"metrics.score","kind":"metrics","name":"score","type":"number","min":0.25,"max":0.5,"notFinite":2,"missing":1,"values":[0.5,"NaN","Infinity",0.25,null]}""", columns["metrics.score"].ToJsonString());

        var scatter = await OkAsync($"?runs={list}&view=scatter&x=params.depth&y=metrics.score&color=params.kind");
        Assert.Equal(("number", "number", "category"), (scatter["x"]!["type"]!.ToString(), scatter["y"]!["type"]!.ToString(), scatter["color"]!["type"]!.ToString()));
        Assert.Equal([1, 20], new[] { 0, 3 }.Select(i => (double)scatter["points"]![i]!["x"]!));
        Assert.Null(scatter["points"]![4]!["y"]);
        Assert.Equal(runs, scatter["points"]!.AsArray().Select(point => point!["run"]!.ToString()));
        Assert.Contains("'metrics.nothing'", await FailsAsync($"?runs={list}&view=scatter&x=params.depth&y=metrics.nothing", HttpStatusCode.BadRequest), StringComparison.Ordinal);
        Assert.Contains("needs x and y", await FailsAsync($"?runs={list}&view=scatter&x=params.depth", HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_least_and_greatest_of_long_metrics_are_known()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var (a, b) = (await mlflow.RunAsync(), await mlflow.RunAsync());
        foreach (var batch in Enumerable.Range(0, 12))
        {
            await mlflow.PostAsync("runs/log-batch", new { run_id = a, metrics = Enumerable.Range(batch * 1000, 1000).Select(step => new { key = "m", value = step == 5432 ? -5 : step, timestamp = step, step }) });
        }

        await mlflow.PostAsync("runs/log-batch", new { run_id = b, metrics = Enumerable.Range(0, 700).Select(step => new { key = "m", value = step, timestamp = step, step }) });
        var found = Row(await OkAsync($"?runs={a},{b}&include=metrics"), "metrics", "m")["values"]!;
        Assert.Equal((-5, 11_999, 12_000), ((int)found[0]!["min"]!, (int)found[0]!["max"]!, (int)found[0]!["steps"]!));
        Assert.Equal((0, 699, 700), ((int)found[1]!["min"]!, (int)found[1]!["max"]!, (int)found[1]!["steps"]!));
    }

    [Fact]
    public async Task What_is_asked_wrongly_is_refused_with_everything_that_is_wrong()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var (a, b) = (await mlflow.RunAsync(), await mlflow.RunAsync());
        var missing = await FailsAsync($"?runs={a},nobody,{b},neither", HttpStatusCode.NotFound);
        Assert.Contains("'nobody'", missing, StringComparison.Ordinal);
        Assert.Contains("'neither'", missing, StringComparison.Ordinal);
        foreach (var query in new[] { "", "?runs=", $"?runs={a}", $"?runs={a},{a.ToUpperInvariant()}", "?runs=" + string.Join(',', Enumerable.Range(0, 101)), $"?runs={a},{b}&include=all", $"?runs={a},{b}&only=some", $"?runs={a},{b}&view=pie", $"?runs={a},{b}&value=mean", $"?runs={a},{b}&other=1" })
        {
            await FailsAsync(query, HttpStatusCode.BadRequest);
        }

        var all = await FailsAsync($"?runs={a}&only=some&view=pie", HttpStatusCode.BadRequest);
        Assert.All(new[] { "2 to 100", "'some'", "'pie'" }, word => Assert.Contains(word, all, StringComparison.Ordinal));

        using var reader = await host.PrincipalAsync(Reader);
        using (var answer = await reader.GetAsync(new Uri($"{Base}?runs={a},{b}", UriKind.Relative)))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        using var stranger = await host.PrincipalAsync(null);
        foreach (var query in new[] { $"?runs={a},{b}", "?runs=nobody,neither" })
        {
            using var answer = await stranger.GetAsync(new Uri(Base + query, UriKind.Relative));
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
    }

    private static JsonNode Row(JsonObject found, string section, string name) => found[section]!["rows"]!.AsArray().Single(row => row!["name"]!.ToString() == name)!;

    private static IEnumerable<string> Rows(JsonObject found, string section) => found[section]!["rows"]!.AsArray().Select(row => $"{row!["name"]} {row["state"]} {row["values"]!.ToJsonString()}");

    private async Task<JsonObject> OkAsync(string query) => JsonNode.Parse(await SendAsync(query, HttpStatusCode.OK))!.AsObject();

    private Task<string> FailsAsync(string query, HttpStatusCode status) => SendAsync(query, status);

    private async Task<string> SendAsync(string query, HttpStatusCode status)
    {
        using var client = await host.OwnerAsync();
        using var answer = await client.GetAsync(new Uri(Base + query, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == answer.StatusCode, $"{query}: {answer.StatusCode} {text}");
        return text;
    }

    private async Task PutAsync(string run, string path, string text)
    {
        var place = (await host.Get<IDatastores>().ResolveAsync(host.Workspace, RunArtifacts.Datastore, default)).Value.Child($"{RunArtifacts.Prefix(run)}/{path}");
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        Assert.True((await host.Get<IBlobStore>().PutAsync(new BlobAddress(place.Account, place.Container, place.Path), content, new BlobWrite(), default)).Succeeded);
    }
}
