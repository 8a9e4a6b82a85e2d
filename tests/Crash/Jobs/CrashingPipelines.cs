using System.Diagnostics;
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
internal sealed record FoundJob(string Status, string? Code);

/// <summary>
/// Pipelines on a server that dies: components that print numbered lines and note in an output of theirs that they ran, their submission, and what
/// the server tells of them.
/// </summary>
internal sealed class CrashingPipelines(ZaffreServer server, string token)
{
    public const int MostLines = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>How many lines a command prints, by its path.</summary>
    public static int LinesOf(string path) => path.Sum(letter => letter) % (MostLines + 1);

    /// <summary>What the log of a command that was not disturbed holds.</summary>
    public static string LogOf(string path) => "begin\n" + string.Concat(Enumerable.Range(1, LinesOf(path)).Select(i => $"line {i}\n")) + "end\n";

    public async Task SetUpAsync()
    {
        using var client = server.Client(token);
        await PutAsync(client, "environments/crash/versions/1", new JsonObject { ["image"] = "debian" });
        for (var lines = 0; lines <= MostLines; lines++)
        {
            await ComponentAsync(client, Component(lines, fails: false), Spec(lines, code: 0));
            await ComponentAsync(client, Component(lines, fails: true), Spec(lines, code: 3));
        }
    }

    /// <summary>Sends a pipeline; true when the server acknowledged it.</summary>
    public async Task<bool> TrySendAsync(SentPipeline sent)
    {
        using var client = server.Client(token);
        var wire = new PipelineWire(server.Workspace, path => Component(LinesOf(path), sent.Failing.Contains(path)));
        try
        {
            foreach (var (name, spec) in wire.Components(sent.Case.Root, sent.Name))
            {
                await ComponentAsync(client, name, spec);
            }

            await PutAsync(client, "jobs/" + sent.Name, wire.Job(sent.Case, sent.Name, "serverless"));
            return true;
        }
        catch (HttpRequestException lost) when (lost.StatusCode is null)
        {
            return false;
        }
    }

    public async Task CancelAsync(SentPipeline sent)
    {
        using var client = server.Client(token);
        sent.CancelSent = true;
        try
        {
            using var answer = await client.PostAsync(Url($"jobs/{sent.Name}/cancel"), null);
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
        var found = new List<(int Pid, string Job)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), out _)))
        {
            if (JobOf(folder) is { } job)
            {
                found.Add((int.Parse(Path.GetFileName(folder)), job));
            }
        }

        if (found.Count == 0)
        {
            return;
        }

        var (pid, hit) = found[random.Next(found.Count)];
        all.Single(sent => hit.StartsWith(sent.Name + "_", StringComparison.Ordinal)).Hit.Add(hit);
        using var kill = Process.Start("/bin/kill", ["-9", pid.ToString()]);
        kill.WaitForExit();
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
        using var client = server.Client(token);
        using var answer = await client.GetAsync(Url("jobs/" + name));
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        answer.EnsureSuccessStatusCode();
        var properties = (await answer.Content.ReadFromJsonAsync<JsonObject>())!["properties"]!;
        return new FoundJob(properties["status"]!.ToString(), properties["properties"]?["zaffre.error.code"]?.ToString());
    }

    /// <summary>The names of a pipeline's job and of everything below it.</summary>
    public async Task<IReadOnlyList<string>> TreeAsync(string name)
    {
        using var client = server.Client(token);
        var names = new List<string> { name };
        for (var i = 0; i < names.Count; i++)
        {
            var children = await client.GetFromJsonAsync<JsonObject>(new Uri($"/history/v1.0{server.Workspace}/runs/{names[i]}/children", UriKind.Relative));
            names.AddRange(children!["value"]!.AsArray().Select(child => child!["runId"]!.ToString()));
        }

        return names;
    }

    /// <summary>The log, followed to its end.</summary>
    public async Task<string> LogAsync(string name)
    {
        using var client = server.Client(token);
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await client.GetStringAsync(new Uri($"/zaffre/v1{server.Workspace}/jobs/{name}/logs?follow=true", UriKind.Relative), limit.Token);
        }
        catch (OperationCanceledException late)
        {
            throw new TimeoutException($"{name} did not end; it is {await FindAsync(name)}", late);
        }
    }

    /// <summary>How many versions of the data asset there are.</summary>
    public async Task<int> VersionsAsync(string asset)
    {
        using var client = server.Client(token);
        using var answer = await client.GetAsync(Url($"data/{asset}/versions"));
        return answer.StatusCode == HttpStatusCode.NotFound ? 0 : (await answer.Content.ReadFromJsonAsync<JsonObject>())!["value"]!.AsArray().Count;
    }

    /// <summary>A file of an output, read where blobs lie; null when there is none.</summary>
    public async Task<string?> OutputAsync(string job, string output, string? file = null)
    {
        using var client = server.Client(token);
        var found = await client.GetFromJsonAsync<JsonObject>(Url("jobs/" + job));
        var uri = found!["properties"]!["outputs"]![output]!["uri"]!.ToString();
        var path = uri[(uri.IndexOf("/paths/", StringComparison.Ordinal) + "/paths/".Length)..].TrimEnd('/');
        var place = Directory.EnumerateDirectories(Path.Combine(server.Data, "blobs"), "azureml-blobstore-*", SearchOption.AllDirectories).Select(container => Path.Combine([container, path, .. file is null ? (string[])[] : [file]])).FirstOrDefault(File.Exists);
        return place is null ? null : await File.ReadAllTextAsync(place);
    }

    private static string Component(int lines, bool fails) => $"crash_{lines}{(fails ? "_fails" : "")}";

    /// <summary>The name of the job that a process belongs to: by its variables, or as its launcher.</summary>
    private string? JobOf(string folder)
    {
        try
        {
            var command = File.ReadAllText(Path.Combine(folder, "cmdline"));
            var tasks = Path.Combine(server.Data, "tasks") + "/";
            if (command.Contains("launch.sh", StringComparison.Ordinal) && command.IndexOf(tasks, StringComparison.Ordinal) is >= 0 and var at)
            {
                var task = command[(at + tasks.Length)..].Split('/')[0];
                return task[..task.LastIndexOf('.')];
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

    private static JsonObject Spec(int lines, int code)
    {
        var inputs = new JsonObject { ["tag"] = new JsonObject { ["type"] = "string", ["default"] = "default" } };
        for (var port = 0; port < PipelineCase.Ports; port++)
        {
            inputs[PipelineCase.Port(port)] = new JsonObject { ["type"] = "uri_file", ["optional"] = true };
        }

        return new JsonObject
        {
            ["type"] = "command",
            ["command"] = $$$"""
                set -eo pipefail
                echo ran >> ${{outputs.ledger}}/runs
                echo begin
                for i in $(seq {{{lines}}}); do echo line $i; sleep 0.1; done
                all=
                for file in $[[${{inputs.a}}]] $[[${{inputs.b}}]] $[[${{inputs.c}}]]; do all="$all,$(cat "$file")"; done
                text="$AZUREML_RUN_ID[${{inputs.tag}}](${all#,})"
                if [ ${#text} -ge 200 ]; then text="$AZUREML_RUN_ID#$(printf %s "$text" | sha256sum | cut -c1-16)"; fi
                printf %s "$text" > ${{outputs.out}}
                case $AZUREML_RUN_ID in *0 | *3 | *4) echo false ;; *) echo true ;; esac > ${{outputs.flag}}
                echo end
                exit {{{code}}}
                """,
            ["inputs"] = inputs,
            ["outputs"] = new JsonObject { ["out"] = new JsonObject { ["type"] = "uri_file" }, ["ledger"] = new JsonObject { ["type"] = "uri_folder" }, ["flag"] = new JsonObject { ["type"] = "boolean" } },
        };
    }

    private async Task ComponentAsync(HttpClient client, string name, JsonObject spec)
    {
        spec["name"] = name;
        if (spec["type"]!.ToString() == "command")
        {
            spec["environment"] = $"azureml:{server.Workspace}/environments/crash/versions/1";
        }

        await PutAsync(client, $"components/{name}/versions/1", new JsonObject { ["componentSpec"] = spec });
    }

    private async Task PutAsync(HttpClient client, string path, JsonObject properties)
    {
        using var answer = await client.PutAsJsonAsync(Url(path), new JsonObject { ["properties"] = properties });
        Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK, $"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    private Uri Url(string path) => new($"{server.Workspace}/{path}?api-version=2024-10-01", UriKind.Relative);
}
