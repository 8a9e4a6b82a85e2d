using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Zaffre.Tests.Clients;
using Zaffre.Tests.Http.Jobs.Model;

namespace Zaffre.Tests.Crash.Jobs;

/// <summary>A pipeline that was sent, and what was done to it; <paramref name="Failing"/> are the paths of the commands that fail.</summary>
internal sealed record SentPipeline(string Name, PipelineCase Case, IReadOnlySet<string> Failing)
{
    /// <summary>The jobs whose processes were killed: they end as the kill wants it.</summary>
    public HashSet<string> Hit { get; } = new(StringComparer.Ordinal);

    /// <summary>A cancellation was sent, and perhaps not received.</summary>
    public bool CancelSent { get; set; }

    /// <summary>A cancellation was accepted while the pipeline was alive.</summary>
    public bool CancelAccepted { get; set; }
}

/// <summary>What a job of the server says of itself.</summary>
internal sealed record FoundJob(string Status, string? Code)
{
    /// <summary>The job whose outputs a reused step has; null for one that ran.</summary>
    public string? ReusedFrom { get; init; }

    /// <summary>How often it was tried.</summary>
    public int Attempt { get; init; }

    public JsonNode? Outputs { get; init; }

    public override string ToString() => $"{Status} {Code} {ReusedFrom} try {Attempt}";

    /// <summary>The path of an output's place in its container.</summary>
    public string PlaceOf(string output)
    {
        var uri = Outputs![output]!["uri"]!.ToString();
        return uri[(uri.IndexOf("/paths/", StringComparison.Ordinal) + "/paths/".Length)..].TrimEnd('/');
    }
}

/// <summary>Pipelines on a server that dies: their submission, what is done to them, and what the server tells of them.</summary>
internal sealed class CrashingPipelines(ZaffreServer server, string token) : IDisposable
{
    private const int DataFiles = 3;
    private const int DataBytes = 16 * 1024 * 1024;
    private const string DataPath = "crash-data";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private string? container;
    private HttpClient? client;

    /// <summary>A client of the server that is there now.</summary>
    private HttpClient Client
    {
        get
        {
            if (client?.BaseAddress != server.Url)
            {
                client?.Dispose();
                client = server.Client(token);
            }

            return client;
        }
    }

    /// <summary>The folder of the workspace's blobs.</summary>
    private string Container => container ??= Directory.EnumerateDirectories(Path.Combine(server.Data, "blobs"), "azureml-blobstore-*", SearchOption.AllDirectories).Single();

    public void Dispose() => client?.Dispose();

    public async Task SetUpAsync()
    {
        await PutAsync("environments/crash/versions/1", new JsonObject { ["image"] = "debian" });
        for (var variant = 0; variant < PipelineCase.Variants; variant++)
        {
            await ComponentAsync(CrashComponents.Name(variant, fails: false), CrashComponents.Spec(variant, fails: false));
            await ComponentAsync(CrashComponents.Name(variant, fails: true), CrashComponents.Spec(variant, fails: true));
        }

        await PutAsync("jobs/first", new JsonObject { ["jobType"] = "Command", ["command"] = "echo > ${{outputs.out}}", ["environmentId"] = $"{server.Workspace}/environments/crash/versions/1", ["outputs"] = new JsonObject { ["out"] = new JsonObject { ["jobOutputType"] = "uri_file" } } });
        Assert.Equal("Completed", (await EndAsync("first"))?.Status);
        await PutAsync("data/crash/versions/1", new JsonObject { ["dataType"] = "uri_folder", ["dataUri"] = $"azureml://datastores/workspaceblobstore/paths/{DataPath}/" });
        Directory.CreateDirectory(Path.Combine(Container, DataPath));
        for (var file = 0; file < DataFiles; file++)
        {
            await using var large = File.Create(Path.Combine(Container, DataPath, $"{file}"));
            large.SetLength(DataBytes);
        }
    }

    /// <summary>Lets the data look changed, so that it must be read before a step that sees it is decided.</summary>
    public void TouchData()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Container, DataPath)))
        {
            File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime);
        }
    }

    /// <summary>Sends a pipeline; true when the server acknowledged it.</summary>
    public async Task<bool> TrySendAsync(SentPipeline sent)
    {
        var wire = new PipelineWire(server.Workspace, (path, step) => CrashComponents.Name(step.Variant, sent.Failing.Contains(path))) { Gangs = true, Data = "azureml:crash:1" };
        try
        {
            foreach (var (name, spec) in wire.Components(sent.Case, sent.Name))
            {
                await ComponentAsync(name, spec);
            }

            await PutAsync("jobs/" + sent.Name, wire.Job(sent.Case, sent.Name, "serverless"));
            return true;
        }
        catch (HttpRequestException lost) when (lost.StatusCode is null)
        {
            return false;
        }
    }

    public async Task CancelAsync(SentPipeline sent)
    {
        sent.CancelSent = true;
        try
        {
            using var answer = await Client.PostAsync(Url($"jobs/{sent.Name}/cancel"), null);
            sent.CancelAccepted |= answer.StatusCode == HttpStatusCode.Accepted;
        }
        catch (HttpRequestException lost) when (lost.StatusCode is null)
        {
            // The server died; whether it heard of it shows later.
        }
    }

    /// <summary>Kills one process of a task of this server: of the command, or the launcher that watches it.</summary>
    public void KillTask(IEnumerable<SentPipeline> all, Random random)
    {
        var found = Processes();
        if (found.Count == 0)
        {
            return;
        }

        var (pid, hit) = found[random.Next(found.Count)];
        all.Single(sent => hit.StartsWith(sent.Name + "_", StringComparison.Ordinal)).Hit.Add(hit);
        using var kill = Process.Start("/bin/kill", ["-9", pid]);
        kill.WaitForExit();
    }

    /// <summary>The processes of this server's tasks, each with the name of its job.</summary>
    public IReadOnlyList<(string Pid, string Job)> Processes()
    {
        var found = new List<(string Pid, string Job)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), out _)))
        {
            if (JobOf(folder) is { } job)
            {
                found.Add((Path.GetFileName(folder), job));
            }
        }

        return found;
    }

    /// <summary>Waits for the pipeline's end; null when the server never heard of it.</summary>
    public async Task<FoundJob?> EndAsync(string pipeline)
    {
        if (await FindAsync(pipeline) is null)
        {
            return null;
        }

        await LogAsync(pipeline);
        return await FindAsync(pipeline);
    }

    public async Task<FoundJob?> FindAsync(string name)
    {
        using var answer = await Client.GetAsync(Url("jobs/" + name));
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        answer.EnsureSuccessStatusCode();
        var job = (await answer.Content.ReadFromJsonAsync<JsonObject>())!["properties"]!;
        var properties = job["properties"];
        return new FoundJob(job["status"]!.ToString(), properties?["zaffre.error.code"]?.ToString())
        {
            ReusedFrom = properties?["azureml.isreused"]?.ToString() is "true" ? properties["azureml.reusedrunid"]!.ToString() : null,
            Attempt = int.Parse(properties?["zaffre.attempt"]?.ToString() ?? "1", CultureInfo.InvariantCulture),
            Outputs = job["outputs"],
        };
    }

    /// <summary>The names of a pipeline's job and of everything below it.</summary>
    public async Task<IReadOnlyList<string>> TreeAsync(string name)
    {
        var names = new List<string> { name };
        for (var i = 0; i < names.Count; i++)
        {
            var children = await Client.GetFromJsonAsync<JsonObject>(new Uri($"/history/v1.0{server.Workspace}/runs/{names[i]}/children", UriKind.Relative));
            names.AddRange(children!["value"]!.AsArray().Select(child => child!["runId"]!.ToString()));
        }

        return names;
    }

    /// <summary>The log, followed to its end.</summary>
    public async Task<string> LogAsync(string name)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await Client.GetStringAsync(new Uri($"/zaffre/v1{server.Workspace}/jobs/{name}/logs?follow=true", UriKind.Relative), limit.Token);
        }
        catch (OperationCanceledException late)
        {
            var open = new List<string>();
            foreach (var job in await TreeAsync(name))
            {
                open.Add($"{job}: {await FindAsync(job)}");
            }

            throw new TimeoutException($"{name} did not end:\n{string.Join('\n', open)}", late);
        }
    }

    /// <summary>How many versions of the data asset there are.</summary>
    public async Task<int> VersionsAsync(string asset)
    {
        using var answer = await Client.GetAsync(Url($"data/{asset}/versions"));
        return answer.StatusCode == HttpStatusCode.NotFound ? 0 : (await answer.Content.ReadFromJsonAsync<JsonObject>())!["value"]!.AsArray().Count;
    }

    /// <summary>A file of an output, read where blobs lie; null when there is none.</summary>
    public async Task<string?> OutputAsync(FoundJob job, string output, string file = "") => await ReadAsync(Path.Combine(job.PlaceOf(output), file));

    /// <summary>Deletes the file that a job wrote.</summary>
    public void Delete(FoundJob job, string output) => File.Delete(Path.Combine(Container, job.PlaceOf(output)));

    /// <summary>A file of a job's logs, read where they lie; null when there is none.</summary>
    public Task<string?> LogFileAsync(string job, string file) => ReadAsync($"ExperimentRun/dcid.{job}/{file}");

    private async Task<string?> ReadAsync(string path) => Directory.EnumerateDirectories(Path.GetDirectoryName(Container)!).Select(each => Path.Combine(each, path)).FirstOrDefault(File.Exists) is { } found ? await File.ReadAllTextAsync(found) : null;

    /// <summary>The name of the job that a process belongs to: by its variables, or as its launcher.</summary>
    private string? JobOf(string folder)
    {
        try
        {
            // A launcher works in the folder of its attempt, a warm one in that of the task it was given.
            var tasks = Path.Combine(server.Data, "tasks") + "/";
            if (File.ReadAllText(Path.Combine(folder, "cmdline")).Contains("launch", StringComparison.Ordinal)
                && Directory.ResolveLinkTarget(Path.Combine(folder, "cwd"), returnFinalTarget: false)?.FullName is { } place && place.StartsWith(tasks, StringComparison.Ordinal))
            {
                return place[tasks.Length..].Split('.')[0];
            }

            // Variables tell the workspace too, and so this server's own jobs from others'.
            var variables = File.ReadAllText(Path.Combine(folder, "environ")).Split('\0');
            return variables.Any(variable => variable.Contains(server.Workspace, StringComparison.Ordinal))
                ? variables.FirstOrDefault(variable => variable.StartsWith("AZUREML_RUN_ID=", StringComparison.Ordinal))?["AZUREML_RUN_ID=".Length..]
                : null;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private async Task ComponentAsync(string name, JsonObject spec)
    {
        spec["name"] = name;
        if (spec["type"]!.ToString() == "command")
        {
            spec["environment"] = $"azureml:{server.Workspace}/environments/crash/versions/1";
        }

        await PutAsync($"components/{name}/versions/1", new JsonObject { ["componentSpec"] = spec });
    }

    private async Task PutAsync(string path, JsonObject properties)
    {
        using var answer = await Client.PutAsJsonAsync(Url(path), new JsonObject { ["properties"] = properties });
        Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK, $"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    private Uri Url(string path) => new($"{server.Workspace}/{path}?api-version=2024-10-01", UriKind.Relative);
}
