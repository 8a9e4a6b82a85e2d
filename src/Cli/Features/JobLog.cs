using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>Follows a job's log as it grows.</summary>
internal static class JobLog
{
    /// <summary>Prints the log until the job ends; returns the job as it ended. A job that failed or was canceled is an error, as it is for az.</summary>
    public static async Task<JsonObject> StreamAsync(ApiClient api, string name, TextWriter to, CancellationToken ct)
    {
        try
        {
            await CopyAsync(api, name, to, ct);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new CliException($"The log of the job {name} broke off: the server has stopped or was killed. The job itself goes on; once the server is up again, read on with: zaffre job stream -n {name}");
        }

        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"The job {name} goes on. Read on with: zaffre job stream -n {name}; end it with: zaffre job cancel -n {name}");
            throw;
        }

        var job = await api.GetAsync(api.Path("jobs/" + name), ct);
        if (job.Object("properties")?.Object("properties")?.Text("zaffre.warnings") is { } warnings)
        {
            await Console.Error.WriteLineAsync($"Warning: {warnings}");
        }

        return job.Object("properties")?.Text("status") switch
        {
            "Completed" => job,
            "Failed" => throw new CliException($"The job {name} failed: {Reason(job) ?? "the server names no reason."}"),
            { } other => throw new CliException($"The job {name} ended as {other}" + (Reason(job) is { } reason ? $": {reason}" : ".")),
            null => throw new CliException($"The job {name} has no status."),
        };
    }

    private static async Task CopyAsync(ApiClient api, string name, TextWriter to, CancellationToken ct)
    {
        using var response = await api.StreamAsync($"/zaffre/v1{api.WorkspacePath}/jobs/{name}/logs?follow=true", ct);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(ct));
        var buffer = new char[4096];
        int read;
        while ((read = await reader.ReadAsync(buffer, ct)) > 0)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), ct);
            await to.FlushAsync(ct);
        }
    }

    // Run history may tell clients for a moment that a run which ended is still finalizing; the job itself always says the truth.
    private static string? Reason(JsonObject job) => job.Object("properties")?.Object("properties") is { } properties && properties.Text("zaffre.error.message") is { } message
        ? $"({properties.Text("zaffre.error.code")}) {message}"
        : null;
}
