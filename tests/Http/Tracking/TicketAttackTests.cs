using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Signed URLs and uploads in parts in the hands of somebody who wants more than they allow.</summary>
public sealed class TicketAttackTests : IAsyncLifetime
{
    private const string Artifacts = "/api/2.0/mlflow-artifacts/";
    private readonly SetClock clock = new();
    private readonly ZaffreHost host;

    public TicketAttackTests() => host = new ZaffreHost { Also = services => services.AddSingleton<TimeProvider>(clock) };

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_ticket_ends_when_it_says_and_every_altered_one_is_refused()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var bare = host.Anonymous();
        var run = await mlflow.RunAsync();
        using (var put = await mlflow.SendAsync("PUT", $"{Artifacts}artifacts/0/{run}/artifacts/secret", new StringContent("secret")))
        {
            Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        }

        var get = (await mlflow.GetAsync($"{Artifacts}presigned/0/{run}/artifacts/secret")).GetProperty("url").GetString()!;
        var write = (await mlflow.PostAsync("artifacts/presigned-upload-url", new { run_id = run, path = "new", expiration = 60 })).GetProperty("presigned_url").GetString()!;
        var part = (await mlflow.PostAsync($"{Artifacts}mpu/create/0/{run}/artifacts/parts", new { num_parts = 1 })).GetProperty("upload_id").GetString()!;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(bare, get));
        var ticket = get[(get.IndexOf('=', StringComparison.Ordinal) + 1)..];
        for (var i = 0; i < ticket.Length; i += 7)
        {
            var altered = ticket[..i] + (ticket[i] == 'A' ? 'B' : 'A') + ticket[(i + 1)..];
            Assert.Equal((i, HttpStatusCode.Forbidden), (i, await StatusAsync(bare, get.Replace(ticket, altered, StringComparison.Ordinal))));
        }

        // Nothing else that the server sealed is a ticket to read, and nothing at all is none.
        foreach (var other in new[] { part[(part.IndexOf('.', StringComparison.Ordinal) + 1)..], part, "", "%00", "e30=", new string('A', 20_000) })
        {
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(bare, get.Replace(ticket, other, StringComparison.Ordinal)));
        }

        clock.Set = TimeSpan.FromSeconds(61);
        using (var late = await bare.PutAsync(new Uri(write), new StringContent("late")))
        {
            Assert.Equal(HttpStatusCode.Forbidden, late.StatusCode);
            Assert.Contains("Ask for a new one", (await late.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("message").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(bare, get));
        clock.Set = TimeSpan.FromHours(12.1);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(bare, get));
    }

    [Fact]
    public async Task Nobody_writes_a_file_where_the_folder_of_a_run_is()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        await mlflow.FailsAsync("artifacts/presigned-upload-url", new { run_id = run, path = "/" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid path");
        await mlflow.FailsAsync("artifacts/presigned-upload-url", new { run_id = run, path = "../x" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid path");
        await mlflow.FailsAsync($"{Artifacts}mpu/create/0/{run}/artifacts", new { num_parts = 1 }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid path");
        await mlflow.FailsAsync($"{Artifacts}artifacts/0/{run}/artifacts/", "{}", HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid path", "PUT");
        foreach (var id in new[] { ".", "..", "..." })
        {
            var location = new { type = "MLFLOW_EXPERIMENT", mlflow_experiment = new { experiment_id = "0" } };
            await mlflow.FailsAsync("/api/3.0/mlflow/traces", new { trace = new { trace_info = new { trace_id = id, trace_location = location, request_time = "2025-01-31T12:00:00Z" } } }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "trace_id");
        }
    }

    [Fact]
    public async Task Parts_that_are_missing_named_twice_or_out_of_range_make_no_file()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var (path, id, urls) = await BeginAsync(mlflow, "f", 3);
        await PutAsync(urls[2], "three");
        await PutAsync(urls[0], "one");
        Task Bad(object parts, string message) =>
            mlflow.FailsAsync($"{Artifacts}mpu/complete/{path}", new { upload_id = id, parts }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", message);
        object Of(params long[] numbers) => numbers.Select(number => new { part_number = number, etag = "" });
        await Bad(Of(), "name every part once");
        await Bad(Of(1, 1, 3), "name every part once");
        await Bad(Of(1, 2, 3), "Part 2 of the upload was not uploaded");
        await Bad(Of(0), "Part 0 of the upload was not uploaded");
        await Bad(Of(-5), "was not uploaded");
        await Bad(Of(long.MaxValue), "was not uploaded");
        await Bad("all", "must be a list of objects");
        Assert.DoesNotContain("files", (await mlflow.GetAsync($"artifacts/list?run_id={path.Split('/')[1]}")).EnumerateObject().Select(member => member.Name));

        // A part that is sent again replaces the first; then the upload is whole, and may be completed twice.
        await PutAsync(urls[1], "wrong");
        await PutAsync(urls[1], "two");
        foreach (var _ in new[] { 1, 2 })
        {
            await mlflow.PostAsync($"{Artifacts}mpu/complete/{path}", new { upload_id = id, parts = Of(3, 1, 2) });
        }

        Assert.Equal("onetwothree", await ReadAsync(mlflow, path));

        // Not so when somebody has written the file since.
        using (await mlflow.SendAsync("PUT", $"{Artifacts}artifacts/{path}", new StringContent("newer")))
        {
            await Bad(Of(1, 2, 3), "was not uploaded");
        }

        Assert.Equal("newer", await ReadAsync(mlflow, path));
    }

    [Fact]
    public async Task An_upload_that_is_completed_by_many_at_once_is_whole_and_everybody_is_told_so()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        for (var round = 0; round < 5; round++)
        {
            var (path, id, urls) = await BeginAsync(mlflow, "raced" + round, 8);
            await Task.WhenAll(urls.Select((url, i) => PutAsync(url, new string((char)('a' + i), 10_000))));
            var parts = Enumerable.Range(1, 8).Select(number => new { part_number = number, etag = "" }).ToList();
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => mlflow.PostAsync($"{Artifacts}mpu/complete/{path}", new { upload_id = id, parts })));
            Assert.Equal(string.Concat("abcdefgh".Select(c => new string(c, 10_000))), await ReadAsync(mlflow, path));
        }
    }

    private static async Task<(string Path, string Id, List<string> Urls)> BeginAsync(Mlflow mlflow, string name, int parts)
    {
        var path = $"0/{await mlflow.RunAsync()}/artifacts/{name}";
        var upload = await mlflow.PostAsync($"{Artifacts}mpu/create/{path}", new { path, num_parts = parts });
        return (path, upload.GetProperty("upload_id").GetString()!, [.. upload.GetProperty("credentials").EnumerateArray().Select(part => part.GetProperty("url").GetString()!)]);
    }

    private async Task PutAsync(string url, string text)
    {
        using var bare = host.Anonymous();
        using var answer = await bare.PutAsync(new Uri(url), new StringContent(text));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static async Task<string> ReadAsync(Mlflow mlflow, string path)
    {
        using var answer = await mlflow.SendAsync("GET", $"{Artifacts}artifacts/{path}");
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string url)
    {
        using var answer = await client.GetAsync(new Uri(url));
        return answer.StatusCode;
    }
}
