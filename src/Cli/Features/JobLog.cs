using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>Follows a job's log as it grows.</summary>
internal static class JobLog
{
    /// <summary>Prints the log until the job ends; returns the job as it ended. A job that failed or was canceled is an error, as it is for az.</summary>
    public static async Task<JsonObject> StreamAsync(ApiClient api, string name, TextWriter to, CancellationToken ct)
    {
        using (var response = await api.StreamAsync($"/zaffre/v1{api.WorkspacePath}/jobs/{name}/logs?follow=true", ct))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(ct));
            var buffer = new char[4096];
            int read;
            while ((read = await reader.ReadAsync(buffer, ct)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), ct);
                await to.FlushAsync(ct);
            }
        }

        var job = await api.GetAsync(api.Path("jobs/" + name), ct);
        return job.Object("properties")?.Text("status") switch
        {
            "Completed" => job,
            "Failed" => throw new CliException($"The job {name} failed: {await ReasonAsync(api, name, ct)}"),
            { } other => throw new CliException($"The job {name} ended as {other}."),
            null => throw new CliException($"The job {name} has no status."),
        };
    }

    private static async Task<string> ReasonAsync(ApiClient api, string name, CancellationToken ct)
    {
        var details = await api.GetAsync($"/history/v1.0{api.WorkspacePath}/runs/{name}/details", ct);
        return details.Object("error")?.Object("error") is { } error ? $"({error.Text("code")}) {error.Text("message")}" : "the server names no reason.";
    }
}
