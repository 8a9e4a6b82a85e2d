using System.IO.Compression;

namespace Zaffre.Cli;

/// <summary>What goes beside a component's code: a path, and who names it.</summary>
internal sealed record Include(string Path, string At);

/// <summary>
/// A component's code with its <c>additional_includes</c>, merged as the official client merges them: a file or folder lies under its own name in the root of the
/// code, folders of one name become one, <c>lib.zip</c> beside a folder <c>lib</c> is that folder as an archive, and what the code has already is an error. The
/// code's ignore file holds for everything, that of an included folder for what lies in it. The archives are made in a folder that <see cref="Dispose"/> removes.
/// </summary>
internal sealed class IncludedCode : IDisposable
{
    private const string UploadedAs = "code_with_additional_includes";
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly SortedDictionary<string, string> files = new(StringComparer.Ordinal);
    private readonly List<string> problems = [];
    private readonly IgnoreFile always;
    private IgnoreFile root = new([]);
    private string? archives;

    private IncludedCode(IEnumerable<string> ignore) => always = new IgnoreFile(ignore);

    /// <summary>The merged files.</summary>
    public LocalContent Content { get; private set; } = new(UploadedAs, true, []);

    /// <summary>Merges the code (none when null) and the includes; every conflict and every missing path is told at once.</summary>
    public static IncludedCode Read(string? code, string at, IReadOnlyList<Include> includes, IEnumerable<string> ignore)
    {
        var merged = new IncludedCode(ignore);
        try
        {
            merged.Merge(code is null ? null : Path.GetFullPath(code), at, includes);
            return merged;
        }
        catch
        {
            merged.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (archives is not null)
        {
            Directory.Delete(archives, recursive: true);
            archives = null;
        }
    }

    private void Merge(string? code, string at, IReadOnlyList<Include> includes)
    {
        if (code is not null && Directory.Exists(code))
        {
            root = IgnoreFile.Of(code);
            Add(code, "", code, root);
        }
        else if (code is not null && File.Exists(code))
        {
            files[Path.GetFileName(code)] = code;
        }
        else if (code is not null)
        {
            problems.Add($"{at}: {code} does not exist.");
        }

        foreach (var include in includes)
        {
            Add(include, code);
        }

        if (problems.Count > 0)
        {
            throw new CliException(string.Join('\n', problems));
        }

        Content = files.Count > 0
            ? Content with { Files = [.. files.Select(file => new LocalFile(file.Key, file.Value))] }
            : throw new CliException($"{at}: there is no file to upload.");
    }

    private void Add(Include include, string? code)
    {
        var full = Path.GetFullPath(include.Path).TrimEnd('/');
        var name = Path.GetFileName(full);
        var folder = Path.ChangeExtension(full, null);
        var archive = full.EndsWith(".zip", StringComparison.Ordinal) && !Path.Exists(full) && Directory.Exists(folder);
        if (name.Length == 0)
        {
            problems.Add($"{include.At}: the root of the file system cannot be included.");
        }
        else if (!archive && !Path.Exists(full))
        {
            problems.Add($"{include.At}: {include.Path} does not exist.");
        }
        else if (Conflicts(code, name, full))
        {
            problems.Add($"{include.At}: the code has a file or folder {name} already, which {include.Path} would replace.");
        }
        else if (archive)
        {
            files[name] = Archive(folder, name);
        }
        else if (Directory.Exists(full))
        {
            Add(full, name + "/", Path.GetDirectoryName(full)!, IgnoreFile.Of(full));
        }
        else if (!root.Ignores(name) && !always.Ignores(name))
        {
            files[name] = full;
        }
    }

    /// <summary>Whether the code has something of that name; a link to the very thing is no conflict.</summary>
    private static bool Conflicts(string? code, string name, string full)
    {
        if (code is null || Path.Combine(code, name) is not { } target || !(Path.Exists(target) || new FileInfo(target).LinkTarget is not null))
        {
            return false;
        }

        return new FileInfo(target).ResolveLinkTarget(returnFinalTarget: true)?.FullName != full;
    }

    private void Add(string folder, string prefix, string above, IgnoreFile own)
    {
        foreach (var file in Kept(folder, above, own))
        {
            files[prefix + file] = Path.Combine(folder, file);
        }
    }

    /// <summary>What neither the code's rules, which see it from <paramref name="above"/>, nor the folder's own keep away.</summary>
    private IEnumerable<string> Kept(string folder, string above, IgnoreFile own) => LocalContent.Below(folder)
        .Where(file => !root.Ignores(Path.GetRelativePath(above, Path.Combine(folder, file))) && !own.Ignores(file) && !always.Ignores(file));

    /// <summary>The folder as an archive whose bytes depend on nothing but names and contents.</summary>
    private string Archive(string folder, string name)
    {
        archives ??= Directory.CreateTempSubdirectory("zaffre-includes-").FullName;
        var path = Path.Combine(archives, name);
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        var top = Path.GetFileName(folder);
        archive.CreateEntry(top + "/", CompressionLevel.NoCompression).LastWriteTime = NoTime;
        foreach (var file in Kept(folder, Path.GetDirectoryName(folder)!, IgnoreFile.Of(folder)).Order(StringComparer.Ordinal))
        {
            var entry = archive.CreateEntry($"{top}/{file}", CompressionLevel.NoCompression);
            entry.LastWriteTime = NoTime;
            using var to = entry.Open();
            using var from = File.OpenRead(Path.Combine(folder, file));
            from.CopyTo(to);
        }

        return path;
    }
}
