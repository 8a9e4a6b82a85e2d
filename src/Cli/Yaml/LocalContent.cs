using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Cli;

/// <summary>A file to upload: its path relative to the folder that is uploaded, with forward slashes, and where it lies.</summary>
internal sealed record LocalFile(string Name, string Path);

/// <summary>A local file or folder to upload, and the name its content has (docs/yaml-resolve.md, step 2). Files in ordinal order of their names.</summary>
internal sealed record LocalContent(string Name, bool IsFolder, IReadOnlyList<LocalFile> Files)
{
    /// <summary>Reads what is there; <paramref name="kind"/> is file, folder or any, <paramref name="at"/> says who names it.</summary>
    public static LocalContent Read(string path, string kind, string at, params ReadOnlySpan<string> ignore)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full) && kind != "file")
        {
            var (ignored, always) = (IgnoreFile.Of(full), new IgnoreFile(ignore.ToArray()));
            var files = Below(full)
                .Where(file => !ignored.Ignores(file) && !always.Ignores(file))
                .Order(StringComparer.Ordinal)
                .Select(file => new LocalFile(file, Path.Combine(full, file)))
                .ToList();
            return files.Count > 0 ? new LocalContent(NameOf(full), true, files) : throw new CliException($"{at}: the folder {path} holds no file to upload.");
        }

        if (File.Exists(full) && kind != "folder")
        {
            return new LocalContent(NameOf(full), false, [new LocalFile(NameOf(full), full)]);
        }

        throw new CliException(Path.Exists(full)
            ? $"{at}: {path} must be a {kind}." + (kind == "folder" && at.EndsWith("path", StringComparison.Ordinal) ? " For a single file the type is uri_file (--type uri_file)." : "")
            : $"{at}: {path} does not exist.");
    }

    /// <summary>Every file below the folder, relative to it; links to folders are followed, except for one to a folder that the way to it has come through.</summary>
    public static IEnumerable<string> Below(string folder) => Below(folder, "", [Real("/", Path.GetFullPath(folder), 0)]);

    private static IEnumerable<string> Below(string folder, string prefix, IReadOnlyList<string> way)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false }))
        {
            if (!Directory.Exists(entry.FullName))
            {
                yield return prefix + entry.Name;
            }
            else if (Real(way[^1], entry.Name, 0) is var real && !way.Contains(real))
            {
                foreach (var below in Below(entry.FullName, $"{prefix}{entry.Name}/", [.. way, real]))
                {
                    yield return below;
                }
            }
        }
    }

    /// <summary>The path from a real folder on, with every link on it resolved.</summary>
    private static string Real(string from, string path, int links)
    {
        const int mostLinks = 40;
        var real = path.StartsWith('/') ? "/" : from;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(name => name != "."))
        {
            var next = name == ".." ? Path.GetDirectoryName(real) ?? "/" : Path.Combine(real, name);
            real = name != ".." && links < mostLinks && new FileInfo(next).LinkTarget is { } target ? Real(real, target, links + 1) : next;
        }

        return real;
    }

    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(HashHead());
        var buffer = new byte[128 * 1024];
        var unreadable = new List<string>();
        foreach (var file in Files)
        {
            try
            {
                using var stream = File.OpenRead(file.Path);
                hash.AppendData(Encoding.UTF8.GetBytes($"{file.Name}\0{stream.Length}\0"));
                int read;
                while ((read = stream.Read(buffer)) > 0)
                {
                    hash.AppendData(buffer, 0, read);
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                unreadable.Add($"{file.Path} cannot be uploaded: {exception.Message} A link to nothing, and what is not to be read, is left out by .amlignore.");
            }
        }

        return unreadable.Count == 0 ? Convert.ToHexStringLower(hash.GetHashAndReset()) : throw new CliException(string.Join('\n', unreadable));
    }

    /// <summary>What the hash begins with. A folder's name is part of where it is uploaded to: what is called by the hash must not lie at two places.</summary>
    public byte[] HashHead() => IsFolder ? Encoding.UTF8.GetBytes($"{Name}/\0") : [];

    private static string NameOf(string full) => Path.GetFileName(full.TrimEnd('/'));
}
