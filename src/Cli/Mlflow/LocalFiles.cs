using System.Runtime.CompilerServices;

namespace Zaffre.Cli.Mlflow;

/// <summary>
/// The files of a store on this machine. What a store says of places is text of others: only folders below the roots are read, and no symbolic link, device or pipe is
/// followed on the way or inside.
/// </summary>
internal sealed class LocalFiles(IReadOnlyList<string> roots, TransferReport report)
{
    public TransferReport Report => report;

    /// <summary>The files below these folders, and below the folders that MLflow makes in such a place.</summary>
    public static LocalFiles At(IEnumerable<string> folders, TransferReport report) => new(
        [.. folders.Select(folder => Path.GetFullPath(folder).TrimEnd('/')).SelectMany(folder => new[] { folder, folder + "/mlartifacts", folder + "/mlruns" })], report);

    /// <summary>
    /// The folder that an artifact URI names: a path, <c>file:</c>, or <c>mlflow-artifacts:</c> below the roots. A path of another machine is looked for below the roots by its last
    /// three parts, <c>{experiment}/{run}/artifacts</c>. Null, and told, when nothing is there or it may not be read.
    /// </summary>
    public string? Folder(string owner, string? uri)
    {
        if (string.IsNullOrEmpty(uri))
        {
            return null;
        }

        var candidates = Candidates(uri).ToList();
        if (candidates.Count == 0)
        {
            report.Problem($"{owner}: its files lie at {uri}, which this command does not read; copy them to a folder and name it with --artifacts.");
            return null;
        }

        foreach (var path in candidates.Where(path => Directory.Exists(path) || File.Exists(path)))
        {
            if (Within(path) is { } wrong)
            {
                report.Problem($"{owner}: {wrong}");
                return null;
            }

            return path;
        }

        // A run without artifacts has no folder.
        return null;
    }

    /// <summary>The files below a folder, or the one file, with paths relative to it.</summary>
    public async IAsyncEnumerable<TransferFile> ListAsync(string owner, string folder, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        if (File.Exists(folder))
        {
            yield return Of(new FileInfo(folder), Path.GetFileName(folder));
            yield break;
        }

        var left = new Stack<DirectoryInfo>([new DirectoryInfo(folder)]);
        while (left.TryPop(out var next))
        {
            foreach (var entry in next.EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                ct.ThrowIfCancellationRequested();
                var path = Path.GetRelativePath(folder, entry.FullName);
                if (entry.LinkTarget is not null)
                {
                    report.Problem($"{owner}: {path} is a symbolic link; links are not followed.");
                }
                else if (entry is DirectoryInfo inner)
                {
                    left.Push(inner);
                }
                else if (entry is FileInfo file && PlainFile.IsRegular(file.FullName))
                {
                    yield return Of(file, path);
                }
                else
                {
                    report.Problem($"{owner}: {path} is no plain file.");
                }
            }
        }
    }

    /// <summary>The tree of an owner, or null when it has no files here.</summary>
    public FileTree? Tree(string owner, string? uri, Func<string, bool>? except = null)
    {
        if (Folder(owner, uri) is not { } folder)
        {
            return null;
        }

        return new FileTree(owner, ct => Filtered(ListAsync(owner, folder, ct), except));
    }

    private static async IAsyncEnumerable<TransferFile> Filtered(IAsyncEnumerable<TransferFile> files, Func<string, bool>? except)
    {
        await foreach (var file in files)
        {
            if (except?.Invoke(file.Path) != true)
            {
                yield return file;
            }
        }
    }

    private static TransferFile Of(FileInfo file, string path) => new(
        path,
        file.Length,
        _ => Task.FromResult<Stream>(new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 128 * 1024, FileOptions.Asynchronous | FileOptions.SequentialScan)))
    {
        IsLocal = true,
    };

    private IEnumerable<string> Candidates(string uri)
    {
        if (uri.StartsWith("mlflow-artifacts:", StringComparison.OrdinalIgnoreCase))
        {
            var path = uri["mlflow-artifacts:".Length..];
            path = path.StartsWith("//", StringComparison.Ordinal) ? path[2..] is var hosted && hosted.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? hosted[slash..] : "" : path;
            return Below(path.Trim('/'));
        }

        var local = uri.StartsWith("file://", StringComparison.OrdinalIgnoreCase) ? Unescape(uri["file://".Length..] is ['/', ..] rooted ? rooted : "/" + uri["file://".Length..].Split('/', 2)[^1])
            : uri.StartsWith("file:", StringComparison.OrdinalIgnoreCase) ? Unescape(uri["file:".Length..])
            : uri.Contains("://", StringComparison.Ordinal) || uri.IndexOf(':', StringComparison.Ordinal) > 1 ? null
            : uri;
        if (local is null)
        {
            return [];
        }

        var parts = local.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var moved = Enumerable.Range(2, 3).Where(count => parts.Length > count).SelectMany(count => Below(string.Join('/', parts[^count..])));
        return (Path.IsPathRooted(local) ? [Path.GetFullPath(local)] : Below(local)).Concat(moved);
    }

    private static string Unescape(string path) => Uri.UnescapeDataString(path);

    private IEnumerable<string> Below(string relative) => roots.Select(root => Path.GetFullPath(Path.Combine(root, relative)));

    /// <summary>Why a path may not be read, or null.</summary>
    private string? Within(string path)
    {
        if (roots.FirstOrDefault(root => path == root || path.StartsWith(root.TrimEnd('/') + "/", StringComparison.Ordinal)) is not { } root)
        {
            return $"its files lie at {path}, outside of {string.Join(" and ", roots)}; name the folder with --artifacts when they are to be read.";
        }

        for (var at = path; at.Length > root.Length; at = Path.GetDirectoryName(at)!)
        {
            if (new FileInfo(at).LinkTarget is not null)
            {
                return $"{at} is a symbolic link; links are not followed.";
            }
        }

        return null;
    }
}
