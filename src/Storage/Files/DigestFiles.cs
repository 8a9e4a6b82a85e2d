using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Storage.Files;

/// <summary>A file at a place as it was when it was digested; the inode of its stamp is 0 when it changed too shortly before to trust its times.</summary>
internal sealed record StampedFile(string Name, FileStamp Stamp, long Changed, string Sha256)
{
    /// <summary>Whether a file with this stamp has the same content.</summary>
    public bool Fits(FileStamp stamp, long changed) => Stamp.Inode != 0 && Stamp == stamp && Changed == changed;
}

/// <summary>
/// What is known of content, below one folder: manifests by their digest, which is the digest of the file, and stamps by place. All of it can be found
/// out again: a file that is torn or missing is as none. Thread safe; the last writer wins, whole.
/// </summary>
internal sealed class DigestFiles(string root)
{
    private const string End = "end";

    /// <summary>Lines of a manifest, in the order of names; null when there is none.</summary>
    public IEnumerable<ContentFile>? Manifest(string digest)
    {
        var path = PathOf("manifests", digest);
        return File.Exists(path) ? Manifest(new StreamReader(path)) : null;
    }

    /// <summary>The stamps of a place, in the order of names; null when there are none, or the file is torn.</summary>
    public IEnumerator<StampedFile>? Stamps(string place)
    {
        var path = PathOf("places", Key(place));
        try
        {
            using var file = File.OpenRead(path);
            Span<byte> last = stackalloc byte[End.Length + 1];
            file.Seek(-Math.Min(file.Length, last.Length), SeekOrigin.End);
            var whole = file.Read(last) == last.Length && Encoding.UTF8.GetString(last) == "\n" + End;
            return whole ? Stamps(new StreamReader(path)) : null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>A pair of files to be written.</summary>
    public DigestWriter Write(string place) =>
        new(Path.Combine(root, "new", Guid.NewGuid().ToString("N")), PathOf("places", Key(place)), digest => PathOf("manifests", digest));

    private static IEnumerable<ContentFile> Manifest(StreamReader reader)
    {
        using (reader)
        {
            while (reader.ReadLine() is { } line)
            {
                // A name may hold line ends; what follows one is no line of its own.
                if (line.Length > 66 && line[64] == ' ' && line.IndexOf(' ', 65) is > 0 and var space && long.TryParse(line.AsSpan(65, space - 65), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                {
                    yield return new ContentFile(line[(space + 1)..], line[..64], size);
                }
            }
        }
    }

    private static IEnumerator<StampedFile> Stamps(StreamReader reader)
    {
        using (reader)
        {
            while (reader.ReadLine() is { } line && line != End)
            {
                var parts = line.Split(' ', 6);
                if (parts.Length == 6 && Numbers(parts) is { } numbers)
                {
                    yield return new StampedFile(Uri.UnescapeDataString(parts[5]), new FileStamp(numbers[0], numbers[1], numbers[2]), numbers[3], parts[4]);
                }
            }
        }
    }

    private static long[]? Numbers(string[] parts)
    {
        var numbers = new long[4];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (!long.TryParse(parts[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out numbers[i]))
            {
                return null;
            }
        }

        return numbers;
    }

    private static string Key(string place) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(place)));

    private string PathOf(string kind, string digest) => Path.Combine(root, kind, digest[..2], digest);

    /// <summary>The last line of a file of stamps.</summary>
    internal static string LastLine => End;
}

/// <summary>Writes a manifest and its stamps aside; nothing is seen before <see cref="Commit"/>. Not thread safe.</summary>
internal sealed class DigestWriter : IDisposable
{
    private readonly string place;
    private readonly Func<string, string> manifestPath;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly AsideFile manifest;
    private readonly AsideFile stamps;
    private long files;
    private long bytes;

    public DigestWriter(string aside, string place, Func<string, string> manifestPath)
    {
        (this.place, this.manifestPath) = (place, manifestPath);
        (manifest, stamps) = (new AsideFile(aside + ".manifest"), new AsideFile(aside + ".stamps"));
    }

    /// <summary>The next file, in the order of names.</summary>
    public void Add(StampedFile file)
    {
        var line = Line(file.Name, file.Sha256, file.Stamp.Size);
        hash.AppendData(line);
        manifest.Write(line);
        (files, bytes) = (files + 1, bytes + file.Stamp.Size);
        stamps.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{file.Stamp.Inode} {file.Stamp.Size} {file.Stamp.Modified} {file.Changed} {file.Sha256} {Uri.EscapeDataString(file.Name)}\n")));
    }

    /// <summary>A line of a manifest, as it is hashed.</summary>
    public static byte[] Line(string name, string sha256, long size) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{sha256} {size} {name}\n"));

    /// <summary>The digest, when it is known that the files at their places say the same.</summary>
    public FolderDigest Discard() => new(Convert.ToHexStringLower(hash.GetHashAndReset()), files, bytes);

    /// <summary>The digest; the files take their places.</summary>
    public FolderDigest Commit()
    {
        var digest = Convert.ToHexStringLower(hash.GetHashAndReset());
        stamps.Write(Encoding.UTF8.GetBytes((files == 0 ? "\n" : "") + DigestFiles.LastLine));
        var at = manifestPath(digest);
        if (new FileInfo(at) is not { Exists: true, Length: var known } || known != manifest.Length)
        {
            manifest.MoveTo(at);
        }

        stamps.MoveTo(place);
        return new FolderDigest(digest, files, bytes);
    }

    public void Dispose()
    {
        stamps.Dispose();
        manifest.Dispose();
        hash.Dispose();
    }
}

/// <summary>A file that takes its place when it is whole. As long as it is small it is no file yet: most are, and many of those never take it. Not thread safe.</summary>
internal sealed class AsideFile(string aside) : IDisposable
{
    private const int Small = 64 * 1024;

    private readonly MemoryStream memory = new();
    private FileStream? file;

    /// <summary>Bytes written.</summary>
    public long Length { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        memory.Write(bytes);
        Length += bytes.Length;
        if (memory.Length >= Small)
        {
            Flush();
        }
    }

    public void MoveTo(string path)
    {
        Flush();
        file!.Dispose();
        InFolderOf(path, () => File.Move(aside, path, overwrite: true));
        file = null;
    }

    public void Dispose()
    {
        memory.Dispose();
        if (file is not null)
        {
            file.Dispose();
            File.Delete(aside);
        }
    }

    private void Flush()
    {
        if (file is null)
        {
            InFolderOf(aside, () => file = new FileStream(aside, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0));
        }

        file!.Write(memory.GetBuffer().AsSpan(0, (int)memory.Length));
        memory.SetLength(0);
    }

    // The folder is made when it turns out to be missing, not looked for each time.
    private static void InFolderOf(string path, Action use)
    {
        try
        {
            use();
        }
        catch (DirectoryNotFoundException)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            use();
        }
    }
}
