using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Filters, orders and page tokens made to break the searches: each is refused by name or finds nothing, and no message shows SQL.</summary>
public sealed class BadSearchTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Traces = "/api/3.0/mlflow/traces/search";

    private static readonly string[] Searches = ["runs/search", "experiments/search", "logged-models/search", Traces, "registered-models/search", "model-versions/search"];

    private static readonly string[] SqlWords = ["SQLite", "no such", "near \"", "SELECT k", "@p", "unrecognized token", "syntax error"];

    private static readonly string[] Refused =
    [
        "name = 'x' OR 1 = 1", "name = 'x'; DROP TABLE runs", "name = 'x' -- ", "name = 'x' /* */", "1 = 1", "name = name", "(name = 'x')", "NOT name = 'x'", "name = 'x' UNION SELECT 1",
        "name == 'x'", "name <> 'x'", "name ~ 'x'", "name <=> 'x'", "name REGEXP 'x'", "name GLOB 'x'", "name MATCH 'x'", "name BETWEEN 'a' AND 'b'", "name NOT LIKE 'x'", "name IS 'x'", "name = x",
        "name", "name =", "= 'x'", "'x' = name", "tags. = 'x'", "tags.a", "tags.a = 5", "tags.a > 'x'", "tags.a IN ('x')", "name LIKE", "name = 'x' AND", "AND", "name = 'x' AND AND name = 'y'", "name = 'x' name = 'y'",
        "`e.name` = 'x'", "e.name = 'x'", "attribute.`name) OR (1` = 'x'", "run_tags.value = 'x'", "metrics.a = 'x'", "metrics.a LIKE 1", "metrics.a = 1e", "nothing = 'x'", "name = 'x", "name = \"x", "tags.`a = 'x'", "\0", "=", "'", "`", "(", ")", ",", "name IN (SELECT 1)",
        "name = 'x' AND (", "tags.a IS", "tags.a IS NOT", "tags.a IS NOT NULL NULL", "name RLIKE '('", "\ud83d\ude42 = 'x'",
    ];

    private static readonly string[] Harmless =
    [
        "tags.`a' OR '1'='1` = 'x'", "tags.\"a; DROP TABLE runs\" = 'x'", "tags.a = ''' OR 1=1 --'", "tags.a = '\"; DROP TABLE runs; --'", "tags.a LIKE '%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%a'", "tags.a ILIKE '[^*?]'",
        "tags.a = '@p0'", "tags.a = '\ud83d\ude42\u0001\u0085'", "tags.`\ud83d\ude42` IS NULL AND tags.a = 'never'",
    ];

    [Fact]
    public async Task A_filter_that_is_none_is_refused_by_every_search_and_values_are_never_read_as_SQL()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        foreach (var search in Searches)
        {
            foreach (var filter in Refused.Append(string.Join(" AND ", Enumerable.Repeat("name = 'x'", 101))).Append("tags.a = '" + new string('x', 20_000) + "'"))
            {
                var (status, text) = await AskAsync(mlflow, search, filter);
                Assert.True(status == HttpStatusCode.BadRequest && text.Contains("INVALID_PARAMETER_VALUE", StringComparison.Ordinal), $"{search} {filter}: {status} {text}");
            }

            foreach (var filter in Harmless)
            {
                var (status, text) = await AskAsync(mlflow, search, filter);
                Assert.True(status == HttpStatusCode.OK, $"{search} {filter}: {status} {text}");
            }

            foreach (var order in new[] { "name; DROP TABLE runs", "name DESC, 1", "1", "(SELECT 1)", "name COLLATE NOCASE", "random()", "metrics.", "name DESC DESC", "datasets.name", "span.name", "feedback.a", "\0" })
            {
                var (status, text) = await AskAsync(mlflow, search, null, order);
                Assert.True(status == HttpStatusCode.BadRequest, $"{search} ORDER BY {order}: {status} {text}");
            }
        }

        Assert.NotEqual("", await mlflow.RunAsync());
    }

    [Theory]
    [InlineData("(a+)+$", true)]
    [InlineData("(?P<x>a)|(b|c|d)*e\\Z", true)]
    [InlineData("(a)\\1", false)]
    [InlineData("(?=a)b", false)]
    [InlineData("(?<!a)b", false)]
    [InlineData("(?>a)b", false)]
    [InlineData("((((a{1,1000}){1,1000}){1,1000}){1,1000})", false)]
    [InlineData("[z-a]", false)]
    [InlineData("*", false)]
    public async Task A_regular_expression_takes_no_longer_than_its_text_or_is_refused(string expression, bool taken)
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        await mlflow.PostAsync("traces", new { experiment_id = experiment, timestamp_ms = 1, request_metadata = Array.Empty<object>(), tags = new[] { new { key = "t", value = new string('a', 7990) + "b" } } });
        var (status, text) = await AskAsync(mlflow, Traces, $"tags.t RLIKE '{expression}'", experiment: experiment);
        Assert.True(status == (taken ? HttpStatusCode.OK : HttpStatusCode.BadRequest), text);
        Assert.Equal(!taken, text.Contains("Invalid regular expression", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync(mlflow, Traces, $"tags.t RLIKE '{new string('a', 1001)}'", experiment: experiment)).Status);
    }

    [Fact]
    public async Task A_page_token_is_good_for_its_own_search_and_whole()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var (one, other) = (await mlflow.ExperimentAsync(), await mlflow.ExperimentAsync());
        for (var i = 0; i < 3; i++)
        {
            await mlflow.RunAsync(one);
            await mlflow.PostAsync("logged-models", new { experiment_id = one, name = "m" });
            await mlflow.PostAsync("traces", new { experiment_id = one, timestamp_ms = i });
        }

        object Runs(string? token, string experiment, string order, string filter = "") => new { experiment_ids = new[] { experiment }, order_by = new[] { order }, filter, max_results = 1, page_token = token };
        var token = (await mlflow.PostAsync("runs/search", Runs(null, one, "run_name"))).GetProperty("next_page_token").GetString()!;
        Assert.Single((await mlflow.PostAsync("runs/search", Runs(token, one, "run_name"))).GetProperty("runs").EnumerateArray());
        Task BadAsync(string path, object body) => mlflow.FailsAsync(path, body, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "for parameter 'page_token' supplied");
        await BadAsync("runs/search", Runs(token, other, "run_name"));
        await BadAsync("runs/search", Runs(token, one, "user_id"));
        await BadAsync("runs/search", Runs(token, one, "run_name DESC"));
        await BadAsync("runs/search", Runs(token, one, "run_name", "status = 'RUNNING'"));
        var keys = JsonSerializer.Deserialize<string[]>(Base64Url.DecodeFromChars(token))!;
        string[] texts = ["[]", "{}", "null", "7", "[null]", "[[1]]", "[\"i1\"]", "[\"\\ud800\"]", new string('[', 5000)];
        string[] last = ["i99999999999999999999", "f7ff8000000000000", "fzz", "x", "", "i", "f"];
        var forged = texts.Concat(last.Select(bad => JsonSerializer.Serialize((string[])[keys[0], .. keys.Skip(2), bad]))).Select(text => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text)));
        foreach (var bad in forged.Append(token[..^1]).Append(token[1..]).Append(token + "AAAA").Append("!!").Append("' OR 1=1 --").Append(new string('A', 100_000)))
        {
            await BadAsync("runs/search", Runs(bad, one, "run_name"));
            await BadAsync("logged-models/search", new { experiment_ids = new[] { one }, max_results = 1, page_token = bad });
            await BadAsync("experiments/search", new { max_results = 1, page_token = bad });
            await BadAsync(Traces, new { locations = new[] { new { mlflow_experiment = new { experiment_id = one } } }, max_results = 1, page_token = bad });
        }

        await BadAsync("logged-models/search", new { experiment_ids = new[] { one }, max_results = 1, page_token = token });
        foreach (var search in new[] { "registered-models/search", "model-versions/search", "metrics/get-history" })
        {
            var run = search.StartsWith("metrics", StringComparison.Ordinal) ? $"&metric_key=m&run_id={await mlflow.RunAsync(one)}" : "";
            await mlflow.FailsAsync($"{search}?page_token={token}{run}", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "for parameter 'page_token' supplied", "GET");
        }
    }

    private static async Task<(HttpStatusCode Status, string Text)> AskAsync(Mlflow mlflow, string search, string? filter, string? order = null, string experiment = "0")
    {
        var models = search.StartsWith("registered", StringComparison.Ordinal) || search.StartsWith("model-", StringComparison.Ordinal);
        var spelled = search.StartsWith("logged", StringComparison.Ordinal) && order is not null ? (object)new[] { new { field_name = order } } : order is null ? Array.Empty<string>() : new[] { order };
        using var content = models ? null : new StringContent(
            JsonSerializer.Serialize(new { experiment_ids = new[] { experiment }, locations = new[] { new { mlflow_experiment = new { experiment_id = experiment } } }, filter, order_by = spelled }), Encoding.UTF8, "application/json");
        var path = (search[0] == '/' ? "" : Mlflow.Api) + search + (models ? $"?{(filter is null ? "" : "filter=" + Uri.EscapeDataString(filter))}&{(order is null ? "" : "order_by=" + Uri.EscapeDataString(order))}" : "");
        using var answer = await mlflow.SendAsync(models ? "GET" : "POST", path, content);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode < 500, $"{search} {filter} {order}: {text}");
        Assert.DoesNotContain(SqlWords, word => text.Contains(word, StringComparison.OrdinalIgnoreCase) && !(filter + order).Contains(word, StringComparison.OrdinalIgnoreCase));
        return (answer.StatusCode, text);
    }
}
