using System.Security.Cryptography;

namespace Zaffre.Storage.Files;

/// <summary>Digests files and keeps their names, as long as they are few enough. Not thread safe.</summary>
internal sealed class SeenContent : IDisposable
{
    private const int MostFiles = 20_000;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<ContentFile> files = [];
    private long count;
    private long bytes;

    /// <summary>The next file, in the order of names.</summary>
    public void Add(StampedFile file)
    {
        hash.AppendData(DigestWriter.Line(file.Name, file.Sha256, file.Stamp.Size));
        (count, bytes) = (count + 1, bytes + file.Stamp.Size);
        if (count <= MostFiles)
        {
            files.Add(new ContentFile(file.Name, file.Sha256, file.Stamp.Size));
        }
    }

    /// <summary>What was seen; <paramref name="read"/> is how many bytes of it were read.</summary>
    public PeekedContent Told(long read) => new(new FolderDigest(Convert.ToHexStringLower(hash.GetHashAndReset()), count, bytes), count <= MostFiles ? files : null, read);

    public void Dispose() => hash.Dispose();
}
