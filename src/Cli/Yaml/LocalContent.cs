using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Cli;

/// <summary>A local file or folder to upload, and the name its content has (docs/yaml-resolve.md, step 2).</summary>
internal sealed record LocalContent(string Root, bool IsFolder, IReadOnlyList<string> Files)
{
    /// <summary>The last segment of the path.</summary>
    public string Name => Path.GetFileName(Root.TrimEnd('/'));

    /// <summary>Reads what is there; <paramref name="kind"/> is file, folder or any, <paramref name="at"/> says who names it.</summary>
    public static LocalContent Read(string path, string kind, string at)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full) && kind != "file")
        {
            var ignored = IgnoreFile.Of(full);
            var files = Directory.EnumerateFiles(full, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
                .Select(file => Path.GetRelativePath(full, file))
                .Where(file => !ignored.Ignores(file))
                .Order(StringComparer.Ordinal)
                .ToList();
            return files.Count > 0 ? new LocalContent(full, true, files) : throw new CliException($"{at}: the folder {path} holds no file to upload.");
        }

        if (File.Exists(full) && kind != "folder")
        {
            return new LocalContent(full, false, [Path.GetFileName(full)]);
        }

        throw new CliException(Path.Exists(full)
            ? $"{at}: {path} must be a {kind}." + (kind == "folder" && at.EndsWith("path", StringComparison.Ordinal) ? " For a single file the type is uri_file (--type uri_file)." : "")
            : $"{at}: {path} does not exist.");
    }

    public string FullPath(string file) => IsFolder ? Path.Combine(Root, file) : Root;

    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 * 1024];
        foreach (var file in Files)
        {
            using var stream = File.OpenRead(FullPath(file));
            hash.AppendData(Encoding.UTF8.GetBytes($"{file}\0{stream.Length}\0"));
            int read;
            while ((read = stream.Read(buffer)) > 0)
            {
                hash.AppendData(buffer, 0, read);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
