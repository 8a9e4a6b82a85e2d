using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>Writes into a workspace of Zaffre through its import route. A rehearsal is judged by the server and undone there.</summary>
internal sealed class ZaffreTarget(ServerLink server, TransferReport report, bool rehearsal = false) : IMlflowTarget
{
    private const int BatchBytes = 2 * 1024 * 1024;
    private const int BatchRecords = 2000;
    private const string Route = "/mlflow:import";

    private readonly List<byte[]> lines = [];
    private readonly List<string> names = [];
    private readonly HashSet<string> refused = new(StringComparer.Ordinal);
    private long bytes;

    public string Description => $"workspace at {server.Address}";

    public async Task PutAsync(JsonObject record, CancellationToken ct)
    {
        var line = Encoding.UTF8.GetBytes(record.ToJsonString(ZaffreJson.Options) + "\n");
        lines.Add(line);
        names.Add(Told(record));
        bytes += line.Length;
        if (bytes >= BatchBytes || lines.Count >= BatchRecords)
        {
            await FlushAsync(ct);
        }
    }

    public async Task FlushAsync(CancellationToken ct)
    {
        if (lines.Count == 0)
        {
            return;
        }

        using var response = await server.SendAsync(
            HttpMethod.Post,
            Route + (rehearsal ? "?rehearse=true" : ""),
            _ =>
            {
                var body = new ByteArrayContent(Joined());
                body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
                return Task.FromResult<HttpContent>(body);
            },
            ct);
        Take(await server.ReadAsync(response, ct));
        lines.Clear();
        names.Clear();
        bytes = 0;
    }

    public Task FinishAsync(CancellationToken ct) => FlushAsync(ct);

    public async Task PutFilesAsync(FileTree tree, CancellationToken ct)
    {
        if (IsRefused(tree.Owner))
        {
            return;
        }

        Dictionary<string, (long Size, string? Md5)>? there = null;
        await foreach (var file in tree.ListAsync(ct))
        {
            there ??= rehearsal ? [] : await ThereAsync(tree.Owner, ct);
            try
            {
                var sent = !rehearsal && !await IsThereAsync(file, there, ct);
                if (sent)
                {
                    await SendAsync(tree.Owner, file, ct);
                }

                report.Count("file", 1, sent || rehearsal ? 1 : 0);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or HttpRequestException)
            {
                report.Problem($"{tree.Owner}: {file.Path}: {exception.Message}");
            }
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string Told(JsonObject record) => (record.Text("kind"), record.Text("id") ?? record.Text("name") ?? record.Text("run") ?? record.Text("trace")) switch
    {
        ("model_version", var name) => $"model_version {name}/{record.Text("version")}",
        var (kind, name) => $"{kind} {name}",
    };

    private bool IsRefused(string owner)
    {
        var kind = owner.Split('/', 2) switch
        {
            ["run", var id] => "run " + id,
            ["model", var id] => "logged_model " + id,
            ["trace", var id] => "trace " + id,
            [_, var name] => "model_version " + name,
            _ => owner,
        };
        return refused.Contains(kind);
    }

    private byte[] Joined()
    {
        var body = new byte[bytes];
        var at = 0;
        foreach (var line in lines)
        {
            line.CopyTo(body, at);
            at += line.Length;
        }

        return body;
    }

    private void Take(JsonObject answer)
    {
        foreach (var (kind, count) in answer.Object("counts") ?? [])
        {
            report.Count(kind, (long)count!["total"]!, (long)count["new"]!);
        }

        foreach (var note in (answer["notes"] as JsonArray ?? []).OfType<JsonObject>())
        {
            report.Note(note.Text("message")!);
        }

        foreach (var one in (answer["refused"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var name = names[(int)one["line"]! - 1];
            refused.Add(name);
            var why = one["problems"] is JsonArray problems ? string.Join("; ", problems.OfType<JsonObject>().Select(problem => $"{problem.Text("path")}: {problem.Text("message")}")) : one.Text("message");
            report.Problem($"{name}: {why}");
        }
    }

    private async Task<Dictionary<string, (long Size, string? Md5)>> ThereAsync(string owner, CancellationToken ct)
    {
        var there = new Dictionary<string, (long, string?)>(StringComparer.Ordinal);
        await using var body = await server.OpenAsync($"{Route}/files?owner={Uri.EscapeDataString(owner)}", ct);
        using var reader = new StreamReader(body);
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            if (JsonNode.Parse(line) is JsonObject file)
            {
                there[file.Text("path")!] = ((long)file["size"]!, file.Text("md5"));
            }
        }

        return there;
    }

    /// <summary>A file is there when size and MD5 are the same; of one that only a server has, when the size is.</summary>
    private static async Task<bool> IsThereAsync(TransferFile file, Dictionary<string, (long Size, string? Md5)> there, CancellationToken ct)
    {
        if (!there.TryGetValue(file.Path, out var found) || (file.Size is { } size && size != found.Size))
        {
            return false;
        }

        if (!file.IsLocal)
        {
            return file.Size is not null;
        }

        return found.Md5 is { } md5 && md5 == Convert.ToBase64String(await DigestAsync(file, ct));
    }

    private static async Task<byte[]> DigestAsync(TransferFile file, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        await using var content = await file.OpenAsync(ct);
        var buffer = new byte[128 * 1024];
        int read;
        while ((read = await content.ReadAsync(buffer, ct)) > 0)
        {
            hash.AppendData(buffer, 0, read);
        }

        return hash.GetHashAndReset();
    }

    private async Task SendAsync(string owner, TransferFile file, CancellationToken ct)
    {
        var md5 = file.IsLocal ? await DigestAsync(file, ct) : null;
        using var response = await server.SendAsync(
            HttpMethod.Put,
            $"{Route}/files?owner={Uri.EscapeDataString(owner)}&path={Uri.EscapeDataString(file.Path)}",
            async token =>
            {
                var content = new StreamContent(await file.OpenAsync(token));
                content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                content.Headers.ContentLength = file.Size;
                content.Headers.ContentMD5 = md5;
                return content;
            },
            ct);
        await server.ReadAsync(response, ct);
    }
}
