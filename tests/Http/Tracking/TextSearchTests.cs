using System.Net;
using System.Text.Json;
using Zaffre.Tests.Http.Identity;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Runs are found by parts of what they say.</summary>
public sealed class TextSearchTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private string Address => $"/zaffre/v1{Mlflow.Default(host).Id}/runs:search";

    [Fact]
    public async Task A_run_is_found_by_any_part_of_its_name_tags_and_params_at_once_and_the_newest_first()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var (first, second, third) = (await RunAsync(mlflow, experiment, "Kaltes Klares Wasser"), await RunAsync(mlflow, experiment, "warm-up"), await RunAsync(mlflow, experiment, "résumé ÜBER"));
        await mlflow.PostAsync("runs/log-parameter", new { run_id = first, key = "optimizer/name", value = "AdamW" });
        await mlflow.PostAsync("runs/log-parameter", new { run_id = second, key = "optimizer/name", value = "adam \"quoted\" 100%_*" });
        await mlflow.PostAsync("runs/set-tag", new { run_id = third, key = "note", value = "v2 of the 日本語 model 🙂🙃🙂" });

        async Task<string> FindAsync(string text)
        {
            var answer = await mlflow.GetAsync($"{Address}?text={Uri.EscapeDataString(text)}&experiment_ids={experiment}");
            return !answer.TryGetProperty("runs", out var runs) ? "" : string.Join(' ', runs.EnumerateArray().Select(run => Array.IndexOf([first, second, third], Id(run)) + 1));
        }

        Assert.Equal("2 1", await FindAsync("adam"));
        Assert.Equal("1", await FindAsync("ADAMW"));
        Assert.Equal("2", await FindAsync("adam arm-"));
        Assert.Equal("2 1", await FindAsync("izer/na"));
        Assert.Equal("1", await FindAsync("\"kaltes kl\""));
        Assert.Equal("", await FindAsync("\"kaltes wasser\""));
        Assert.Equal("3", await FindAsync("über RÉSUMÉ"));
        Assert.Equal("3", await FindAsync("日本語"));
        Assert.Equal("3", await FindAsync("本語 🙂🙃🙂"));
        Assert.Equal("3", await FindAsync("v2"));
        Assert.Equal("2", await FindAsync("100%_*"));
        Assert.Equal("", await FindAsync("adbm"));
        Assert.Equal("", await FindAsync("' OR 1=1 --"));
        Assert.Equal("", await FindAsync("name:adam* NEAR(a b)"));
        Assert.Equal("1", await FindAsync(first[5..25].ToUpperInvariant()));

        await mlflow.PostAsync("runs/set-tag", new { run_id = third, key = "note", value = "adam too" });
        await mlflow.PostAsync("runs/update", new { run_id = second, run_name = "renamed" });
        Assert.Equal("3 2 1", await FindAsync("adam"));
        Assert.Equal("", await FindAsync("日本語"));
        Assert.Equal(("2", ""), (await FindAsync("renamed"), await FindAsync("warm-up")));
        await mlflow.PostAsync("runs/delete-tag", new { run_id = third, key = "note" });
        await mlflow.PostAsync("runs/delete", new { run_id = first });
        Assert.Equal("2", await FindAsync("adam"));
        await mlflow.PostAsync("runs/restore", new { run_id = first });
        Assert.Equal("2 1", await FindAsync("adam"));
    }

    [Fact]
    public async Task Pages_go_through_all_of_them_and_no_other_search()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var ids = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            ids.Insert(0, await RunAsync(mlflow, experiment, $"paged {i}"));
        }

        var (read, token) = (new List<string>(), "");
        do
        {
            var answer = await mlflow.GetAsync($"{Address}?text=paged&max_results=3&page_token={token}");
            read.AddRange(answer.GetProperty("runs").EnumerateArray().Select(Id));
            token = answer.TryGetProperty("next_page_token", out var next) ? next.GetString()! : "";
            if (token.Length > 0)
            {
                await FailsAsync($"?text=other&page_token={token}", HttpStatusCode.BadRequest, "'page_token' is not a token of this search");
                await FailsAsync($"?text=paged&page_token={token[..^2]}", HttpStatusCode.BadRequest, "'page_token' is not a token of this search");
            }
        }
        while (token.Length > 0);
        Assert.Equal(ids, read);
        await FailsAsync("", HttpStatusCode.BadRequest, "'text' must hold");
        await FailsAsync($"?text={new string('x', 501)}", HttpStatusCode.BadRequest, "'text' must hold");
        await FailsAsync("?text=%20%22%22&max_results=0", HttpStatusCode.BadRequest, "'max_results' must be between 1 and 1000");
        await FailsAsync("?text=abc%00", HttpStatusCode.BadRequest, "'text' must hold");
        await FailsAsync("?text=%01%02%EF%BF%BD%EF%BF%BE", HttpStatusCode.OK, "{}");
        Assert.Equal("{}", (await mlflow.GetAsync($"{Address}?text=paged&experiment_ids=99999")).GetRawText());
    }

    [Fact]
    public async Task Who_may_not_read_runs_finds_none()
    {
        using var stranger = await host.PrincipalAsync(null);
        using var answer = await stranger.GetAsync(new Uri(Address + "?text=abc", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        using var nobody = host.Anonymous();
        using var refused = await nobody.GetAsync(new Uri(Address + "?text=abc", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    private static async Task<string> RunAsync(Mlflow mlflow, string experiment, string name) =>
        (await mlflow.PostAsync("runs/create", new { experiment_id = experiment, run_name = name })).GetProperty("run").GetProperty("info").GetProperty("run_id").GetString()!;

    private static string Id(JsonElement run) => run.GetProperty("info").GetProperty("run_id").GetString()!;

    private async Task FailsAsync(string query, HttpStatusCode status, string message)
    {
        using var client = host.With(await Tokens.OwnerAsync(host));
        using var answer = await client.GetAsync(new Uri(Address + query, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(message, text, StringComparison.Ordinal);
    }
}
