using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>Downloads a job's artifacts and outputs into <c>artifacts/</c> and <c>named-outputs/{name}/</c>, as az does.</summary>
internal sealed class JobDownload(ApiClient api, JsonObject job, string folder)
{
    private readonly JsonObject outputs = job.Object("properties")?.Object("outputs") ?? [];
    private string? token;

    public async Task RunAsync(string? output, bool all, CancellationToken ct)
    {
        if (output is not null and not "default")
        {
            await NamedAsync(output, ct);
            return;
        }

        var target = Path.Combine(folder, "artifacts");
        await DownloadAsync("workspaceartifactstore", $"ExperimentRun/dcid.{job.Text("name")}", target, ct);
        foreach (var name in all ? outputs.Select(pair => pair.Key).Where(name => name != "default") : [])
        {
            await NamedAsync(name, ct);
        }
    }

    private async Task NamedAsync(string name, CancellationToken ct)
    {
        if (!outputs.ContainsKey(name))
        {
            throw new CliException($"The job has no output '{name}'. It has: {string.Join(", ", outputs.Select(pair => pair.Key))}");
        }

        var uri = outputs.Object(name)?.Text("uri") ?? throw new CliException($"The output '{name}' has no place.");
        const string marker = "/datastores/";
        var at = uri.IndexOf(marker, StringComparison.Ordinal);
        var parts = at < 0 ? [] : uri[(at + marker.Length)..].Split("/paths/", 2);
        if (parts.Length != 2)
        {
            throw new CliException($"The output '{name}' lies at {uri}, which this CLI cannot download.");
        }

        await DownloadAsync(parts[0], parts[1].TrimEnd('/'), Path.Combine(folder, "named-outputs", name), ct);
    }

    private async Task DownloadAsync(string datastore, string path, string target, CancellationToken ct)
    {
        var store = (await api.GetAsync(api.Path("datastores/" + datastore), ct)).Object("properties")!;
        var container = $"https://{store.Text("accountName")}.blob.{store.Text("endpoint")}/{store.Text("containerName")}";
        var root = Path.GetFullPath(target);
        var count = 0;
        await foreach (var blob in ListAsync(container, path, ct))
        {
            var file = Path.GetFullPath(Path.Combine(root, blob == path ? Path.GetFileName(path) : blob[(path.Length + 1)..]));
            if (!file.StartsWith(root + "/", StringComparison.Ordinal))
            {
                throw new CliException($"The blob name {blob} leads out of the download folder; it was not written.");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            using var response = await BlobAsync($"{container}/{string.Join('/', blob.Split('/').Select(Uri.EscapeDataString))}", ct);
            await using var stream = File.Create(file);
            await response.Content.CopyToAsync(stream, ct);
            count++;
        }

        await Console.Error.WriteLineAsync($"{count} files downloaded to {target}");
    }

    private async IAsyncEnumerable<string> ListAsync(string container, string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        for (string? marker = ""; marker is not null;)
        {
            using var response = await BlobAsync($"{container}?restype=container&comp=list&prefix={Uri.EscapeDataString(path)}&marker={Uri.EscapeDataString(marker)}", ct);
            var list = XDocument.Parse(await response.Content.ReadAsStringAsync(ct)).Root!;
            foreach (var name in list.Descendants("Blob").Select(blob => blob.Element("Name")!.Value).Where(name => name == path || name.StartsWith(path + "/", StringComparison.Ordinal)))
            {
                yield return name;
            }

            marker = list.Element("NextMarker")?.Value is { Length: > 0 } next ? next : null;
        }
    }

    private async Task<HttpResponseMessage> BlobAsync(string url, CancellationToken ct)
    {
        token ??= await api.TokenAsync("https://storage.azure.com/.default", ct);
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Add("x-ms-version", "2021-12-02");
        var response = await api.RawAsync(request, ct);
        return response.IsSuccessStatusCode ? response : throw new CliException($"Reading {url} failed: HTTP {(int)response.StatusCode}");
    }
}
