using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Endpoints.Data;
using Zaffre.Gateway;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Endpoints.Runtime;

/// <summary>
/// Brings ONNX models to the gateway: copies their files into the deployment's own folder, where nobody changes them any more, and has the gateway
/// load them before they serve.
/// </summary>
internal sealed class OnnxGenerations(IBlobStore blobs, DeploymentLogs logs, GatewayKeeper gateway, ServingOptions? options = null)
{
    private const int MostFiles = 10_000;
    private const long MostBytes = 16L << 30;

    /// <summary>The route of a generation that the gateway has loaded, or why it cannot be scored.</summary>
    public async Task<Outcome<OnnxRoute>> PrepareAsync(DeploymentRow row, OnnxSource source, TimeSpan? within, CancellationToken ct)
    {
        var folder = FolderOf(row.RowKey, row.Wanted);
        if (!(await CopyAsync(source, folder, ct)).TryGet(out var digest, out var problem))
        {
            return problem;
        }

        var route = source.Route with { Folder = folder, Digest = digest };
        logs.Prepare(row.RowKey, $"Copied the model's files to {folder}, digest {digest}");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(within ?? options?.StartDeadline ?? TimeSpan.FromMinutes(10));
        try
        {
            var answer = await gateway.PrepareAsync(route, limit.Token);
            if (answer.Code is { } code)
            {
                return new Problem(ProblemKind.Invalid, code, answer.Message ?? "");
            }

            logs.Prepare(row.RowKey, answer.Lines);
            return route;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new Problem(ProblemKind.Invalid, "InitTimeout", "The gateway did not load the model in time; raise initial_delay, period or failure_threshold of readiness_probe when it needs longer.");
        }
    }

    /// <summary>Removes the copies of other generations than the one that serves.</summary>
    public void RemoveOthers(DeploymentRow row, long live)
    {
        foreach (var folder in Directory.Exists(logs.FolderOf(row.RowKey)) ? Directory.GetDirectories(logs.FolderOf(row.RowKey), "model-*") : [])
        {
            if (folder != FolderOf(row.RowKey, live))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>Why the gateway does not load the live generation any more, for the deployment's error; null when it does.</summary>
    public JsonObject? RefusalOf(DeploymentRow row) =>
        row.ParseModels() is { } route && gateway.RefusalOf(route.Folder) is { } refusal ? Instances.Failure(refusal.Code, refusal.Message) : null;

    private string FolderOf(string rowKey, long generation) => Path.Combine(logs.FolderOf(rowKey), $"model-{generation}");

    private async Task<Outcome<string>> CopyAsync(OnnxSource source, string folder, CancellationToken ct)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var lines = new List<string>();
        var total = 0L;
        await foreach (var (blob, name) in FilesAsync(source, ct))
        {
            if (lines.Count == MostFiles || !IsPlain(name))
            {
                return new Problem(ProblemKind.Invalid, "InvalidModel", lines.Count == MostFiles ? $"The model has more than {MostFiles} files." : $"The model's file '{name}' has a name that no file of a model may have.");
            }

            await using var content = await blobs.OpenReadAsync(blob, ct);
            if (content is null || (total += content.Length) > MostBytes)
            {
                return new Problem(ProblemKind.Invalid, content is null ? "ModelFilesMissing" : "InvalidModel", content is null ? $"The model's file '{name}' is gone." : $"The model is larger than {MostBytes >> 30} GiB.");
            }

            lines.Add($"{await WriteAsync(content, Path.Combine(folder, name), ct)} {content.Length} {name}\n");
        }

        lines.Sort(StringComparer.Ordinal);
        return lines.Count == 0
            ? new Problem(ProblemKind.Invalid, "ModelFilesMissing", "The model has no files. Upload them and register it again.")
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines))));
    }

    private async IAsyncEnumerable<(BlobAddress Blob, string Name)> FilesAsync(OnnxSource source, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        if (source.IsFile)
        {
            yield return (source.Files, source.Route.File!);
            yield break;
        }

        var prefix = source.Files.Child("");
        string? next = null;
        do
        {
            var page = await blobs.ListAsync(prefix, 1000, next, ct);
            foreach (var blob in page.Items)
            {
                yield return (prefix.At(blob.Name), blob.Name[prefix.Name.Length..]);
            }

            next = page.Next;
        }
        while (next is not null);
    }

    private static bool IsPlain(string name) => name.Split('/').All(p => p is not ("" or "." or "..") && !p.Contains('\0', StringComparison.Ordinal));

    private static async Task<string> WriteAsync(Stream content, string path, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, useAsync: true);
        var buffer = new byte[128 * 1024];
        while (await content.ReadAsync(buffer, ct) is > 0 and var read)
        {
            hash.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), ct);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
