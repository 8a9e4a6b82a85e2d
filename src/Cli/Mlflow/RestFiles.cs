using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>The files that a tracking server gives out: through its artifact proxy, and those of runs also where it only hands them on.</summary>
internal sealed class RestFiles(ServerLink server)
{
    private const string Proxy = "/api/2.0/mlflow-artifacts/artifacts";
    private const string Scheme = "mlflow-artifacts:";

    /// <summary>The files of a run.</summary>
    public FileTree OfRun(string run, string? uri) => new(
        "run/" + run,
        ct => Place(uri) is { } place
            ? WalkAsync("", folder => ProxyListAsync(place, folder, ct), path => server.OpenAsync($"{Proxy}/{Escaped(place + "/" + path)}", ct), ct)
            : WalkAsync("", folder => RunListAsync(run, folder, ct), path => server.OpenAsync($"/get-artifact?run_id={Uri.EscapeDataString(run)}&run_uuid={Uri.EscapeDataString(run)}&path={Uri.EscapeDataString(path)}", ct), ct));

    /// <summary>The files below a place that the artifact proxy serves; null for other places.</summary>
    public FileTree? At(string owner, string? uri) => Place(uri) is { } place
        ? new FileTree(owner, ct => WalkAsync("", folder => ProxyListAsync(place, folder, ct), path => server.OpenAsync($"{Proxy}/{Escaped(place + "/" + path)}", ct), ct))
        : null;

    /// <summary>Puts a file into a place that the artifact proxy serves.</summary>
    public async Task PutAsync(string place, TransferFile file, CancellationToken ct)
    {
        using var response = await server.SendAsync(
            HttpMethod.Put,
            $"{Proxy}/{Escaped(Place(place) + "/" + file.Path)}",
            async token =>
            {
                var content = new StreamContent(await file.OpenAsync(token));
                content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                content.Headers.ContentLength = file.Size;
                return content;
            },
            ct);
        await server.ReadAsync(response, ct);
    }

    private static string? Place(string? uri)
    {
        if (uri?.StartsWith(Scheme, StringComparison.Ordinal) != true)
        {
            return null;
        }

        var path = uri[Scheme.Length..];
        return (path.StartsWith("//", StringComparison.Ordinal) ? path[2..] is var hosted && hosted.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? hosted[slash..] : "" : path).Trim('/');
    }

    private static async IAsyncEnumerable<TransferFile> WalkAsync(
        string top, Func<string, Task<IReadOnlyList<JsonObject>>> list, Func<string, Task<Stream>> open, [EnumeratorCancellation] CancellationToken ct)
    {
        var left = new Stack<string>([top]);
        while (left.TryPop(out var folder))
        {
            ct.ThrowIfCancellationRequested();
            foreach (var entry in await list(folder))
            {
                // Proxies answer names, runs answer paths: the last part is the name in both.
                var name = (entry.Text("path") ?? "").TrimEnd('/').Split('/')[^1];
                var path = folder.Length == 0 ? name : $"{folder}/{name}";
                if (name is "" or "." or "..")
                {
                    throw new IOException($"The server names a file '{entry.Text("path")}', which is no name.");
                }

                if (entry.Flag("is_dir") == true)
                {
                    left.Push(path);
                }
                else
                {
                    yield return new TransferFile(path, RestSource.Whole(entry["file_size"]), _ => open(path));
                }
            }
        }
    }

    private static string Escaped(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private async Task<IReadOnlyList<JsonObject>> ProxyListAsync(string place, string folder, CancellationToken ct)
    {
        var path = folder.Length == 0 ? place : $"{place}/{folder}";
        var answer = await server.FindAsync(HttpMethod.Get, $"{Proxy}?path={Uri.EscapeDataString(path)}", null, ct);
        return [.. (answer?["files"] as JsonArray ?? []).OfType<JsonObject>()];
    }

    private async Task<IReadOnlyList<JsonObject>> RunListAsync(string run, string folder, CancellationToken ct)
    {
        var files = new List<JsonObject>();
        for (string? token = ""; token is not null;)
        {
            var page = await server.GetAsync($"{RestSource.Api}artifacts/list?run_id={Uri.EscapeDataString(run)}&path={Uri.EscapeDataString(folder)}{(token.Length > 0 ? "&page_token=" + Uri.EscapeDataString(token) : "")}", ct);
            files.AddRange((page["files"] as JsonArray ?? []).OfType<JsonObject>());
            token = page.Text("next_page_token") is { Length: > 0 } next ? next : null;
        }

        return files;
    }
}
