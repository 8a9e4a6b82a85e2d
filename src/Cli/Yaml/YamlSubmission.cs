using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>Sends a YAML file through the server's reader: text, files asked for, uploads, requests (docs/yaml-resolve.md).</summary>
internal sealed class YamlSubmission(ApiClient api)
{
    /// <summary>The answer of the last request, which is the resource that the YAML describes.</summary>
    public async Task<JsonObject> SendAsync(string kind, string file, IReadOnlyDictionary<string, JsonNode?> set, CancellationToken ct)
    {
        if (!File.Exists(file))
        {
            throw new CliException($"{file} does not exist.");
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        return await SendAsync(kind, Path.GetFileName(file), await File.ReadAllTextAsync(file, ct), folder, set, ct);
    }

    /// <summary>As <see cref="SendAsync(string, string, IReadOnlyDictionary{string, JsonNode?}, CancellationToken)"/>, for YAML text whose paths are relative to <paramref name="folder"/>.</summary>
    public Task<JsonObject> SendTextAsync(string kind, string yaml, string folder, IReadOnlyDictionary<string, JsonNode?> set, CancellationToken ct) =>
        SendAsync(kind, "arguments.yml", yaml, folder, set, ct);

    private async Task<JsonObject> SendAsync(string kind, string name, string yaml, string folder, IReadOnlyDictionary<string, JsonNode?> set, CancellationToken ct)
    {
        var resolved = await new YamlQuestion(api, folder, YamlQuestion.Request(kind, name, yaml, set)).AskAsync("yaml:resolve", ct);
        var replacements = await UploadAsync(resolved, folder, ct);
        JsonObject answer = [];
        var requests = resolved["requests"]!.AsArray().OfType<JsonObject>().ToList();
        if (kind == "job" && requests[^1].Object("body")?.Object("properties") is { } job)
        {
            job["experimentName"] ??= Experiment();
        }

        foreach (var request in requests)
        {
            answer = await api.SendAsync(
                new HttpMethod(request.Text("method")!),
                Replace(request.Text("path")!, replacements),
                request["body"] is { } body ? JsonNode.Parse(Replace(body.ToJsonString(ZaffreJson.Options), replacements)) : null,
                ct);
        }

        return answer;
    }

    private async Task<Dictionary<string, string>> UploadAsync(JsonObject resolved, string folder, CancellationToken ct)
    {
        var replacements = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var upload in (resolved["uploads"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var store = resolved.Object("store")!;
            using var local = UploadContent.Read(upload, folder);
            var content = local.Content;
            var hash = content.Hash();
            var target = $"LocalUpload/{hash}/{content.Name}";
            await UploadAsync(content, store.Text("container")! + "/" + target, store.Text("sas")!, ct);
            replacements[upload.Text("placeholder")!] = store.Text("uri") + target;
            replacements[upload.Text("hashPlaceholder")!] = hash;
        }

        return replacements;
    }

    private async Task UploadAsync(LocalContent content, string target, string sas, CancellationToken ct)
    {
        string Url(LocalFile file) => target + (content.IsFolder ? "/" + string.Join('/', file.Name.Split('/').Select(Uri.EscapeDataString)) : "") + "?" + sas;

        var first = Url(content.Files[0]);
        using (var head = await BlobAsync(HttpMethod.Head, first, null, ct))
        {
            if (head.StatusCode == HttpStatusCode.OK && head.Headers.TryGetValues("x-ms-meta-upload_status", out var status) && status.Contains("completed"))
            {
                return;
            }
        }

        foreach (var file in content.Files)
        {
            await using var stream = File.OpenRead(file.Path);
            using var put = await BlobAsync(HttpMethod.Put, Url(file), stream, ct);
            await CheckAsync(put, file.Name, ct);
        }

        using var completed = await BlobAsync(HttpMethod.Put, first + "&comp=metadata", null, ct, ("x-ms-meta-upload_status", "completed"));
        await CheckAsync(completed, content.Files[0].Name, ct);
    }

    private async Task<HttpResponseMessage> BlobAsync(HttpMethod method, string url, Stream? body, CancellationToken ct, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, url);
        request.Headers.Add("x-ms-version", "2021-12-02");
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        if (body is not null)
        {
            request.Headers.Add("x-ms-blob-type", "BlockBlob");
            request.Content = new StreamContent(body);
        }

        return await api.RawAsync(request, ct);
    }

    private static async Task CheckAsync(HttpResponseMessage response, string file, CancellationToken ct)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw new CliException($"Uploading {file} failed: HTTP {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(ct)}");
        }
    }

    /// <summary>The experiment of a job that names none: the current folder without its extension and without blanks, as az and the SDK have it.</summary>
    public static string Experiment()
    {
        var folder = Path.GetFileName(Directory.GetCurrentDirectory());
        var dot = folder.LastIndexOf('.');
        var name = (dot > 0 ? folder[..dot] : folder).Replace(" ", "", StringComparison.Ordinal);
        return name.Length == 0 ? "Default" : name;
    }

    private static string Replace(string text, Dictionary<string, string> replacements) =>
        replacements.OrderByDescending(pair => pair.Key.Length).Aggregate(text, (current, pair) => current.Replace(pair.Key, pair.Value, StringComparison.Ordinal));
}
