using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Identity;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Submits jobs and waits for them, by following their logs.</summary>
internal sealed class JobClient
{
    private readonly ZaffreHost host;

    public JobClient(ZaffreHost host)
    {
        this.host = host;
        Arm = new Arm(host);

        // A job's user, who is not the server's, crosses this folder.
        File.SetUnixFileMode(host.Root, File.GetUnixFileMode(host.Root) | UnixFileMode.OtherExecute | UnixFileMode.OtherRead);
    }

    public Arm Arm { get; }

    /// <summary>PUTs a command job with an environment of its own; <paramref name="properties"/> adds to it or overrides.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Body)> PutAsync(string name, string properties)
    {
        (await Arm.PutAsync("~/environments/plain/versions/1", """{"properties":{"image":"debian"}}""")).Ok();
        var all = new JsonObject { ["jobType"] = "Command", ["environmentId"] = $"{Arm.Main.Id}/environments/plain/versions/1" };
        foreach (var (member, value) in JsonNode.Parse(properties)!.AsObject())
        {
            all[member] = value?.DeepClone();
        }

        return await Arm.PutAsync("~/jobs/" + name, new JsonObject { ["properties"] = all }.ToJsonString());
    }

    /// <summary>Follows the log to its end; the job as it is then, and the log.</summary>
    public async Task<(JsonObject Job, string Log)> EndAsync(string name)
    {
        using var client = host.With(await Tokens.OwnerAsync(host));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var log = await client.GetStringAsync(new Uri($"/zaffre/v1{Arm.Main.Id}/jobs/{name}/logs?follow=true", UriKind.Relative), limit.Token);
        return ((await Arm.GetAsync("~/jobs/" + name)).Ok(), log);
    }

    public async Task StatusAsync(string name, string status)
    {
        for (var wait = 0; (await Arm.GetAsync("~/jobs/" + name)).Ok().At("properties.status") != status; wait++)
        {
            Assert.True(wait < 1000, $"{name} never became {status}");
            await Task.Delay(20);
        }
    }

    /// <summary>The points of a metric of a job's run, once there is one.</summary>
    public async Task<JsonArray> MetricsAsync(string job, string metric)
    {
        for (var wait = 0; wait < 400; wait++)
        {
            var history = await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/api/2.0/mlflow/metrics/get-history?run_id={job}&metric_key={Uri.EscapeDataString(metric)}");
            if (history.Status == HttpStatusCode.OK && history.Body["metrics"] is JsonArray { Count: > 0 } points)
            {
                return points;
            }

            await Task.Delay(50);
        }

        throw new InvalidOperationException($"{job} has no {metric}.");
    }

    public async Task<HttpResponseMessage> CancelAsync(string name)
    {
        using var client = host.With(await Tokens.OwnerAsync(host));
        return await client.PostAsync(new Uri($"{Arm.Main.Id}/jobs/{name}/cancel?api-version=2024-10-01", UriKind.Relative), null);
    }

    public async Task<string> EventsAsync(string name, string? lastId)
    {
        using var client = host.With(await Tokens.OwnerAsync(host));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/zaffre/v1{Arm.Main.Id}/jobs/{name}/logs", UriKind.Relative));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastId);
        }

        using var answer = await client.SendAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }
}
