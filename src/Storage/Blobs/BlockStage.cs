using System.Security.Cryptography;
using System.Text;
using Zaffre.Storage.Data;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Blobs;

/// <summary>
/// Uncommitted blocks: one file each in a folder per blob outside of every container, named by the block's id. They need no sync:
/// the commit copies and syncs. Thread safe.
/// </summary>
internal sealed class BlockStage(SafeFiles files)
{
    private const string Root = ".blocks";

    /// <summary>The id as it must be: 1 to 64 bytes in base64, of the same length as the other ids of the blob.</summary>
    public static byte[] ParseId(string id)
    {
        var bytes = new byte[64];
        return id.Length > 0 && Convert.TryFromBase64String(id, bytes, out var length) && length > 0
            ? bytes[..length]
            : throw BlobErrors.InvalidQuery("blockid", "it must be base64 of 1 to 64 bytes.");
    }

    public static bool IsId(string id) => id.Length > 0 && Convert.TryFromBase64String(id, new byte[64], out var length) && length > 0;

    /// <summary>Keeps the written file as a block, replacing one with the same id. The caller disposes <paramref name="temp"/>.</summary>
    public void Put(BlobAddress blob, string id, TempFile temp)
    {
        var folder = Folder(blob);
        var name = FileName(ParseId(id));
        files.EnsureFolder(folder);
        using (var open = files.OpenFolder(folder))
        {
            if (open is not null && SafeFiles.Entries(open).Select(e => e.Name).FirstOrDefault() is { } other && other.Length != name.Length)
            {
                throw BlobErrors.InvalidBlock("all block ids of a blob must have the same length.");
            }
        }

        if (!temp.MoveTo($"{folder}/{name}"))
        {
            throw new PathBlockedException(folder);
        }
    }

    public OpenFile? Open(BlobAddress blob, string id) => files.OpenRead($"{Folder(blob)}/{FileName(ParseId(id))}");

    /// <summary>The uncommitted blocks in the order of their ids.</summary>
    public IReadOnlyList<CommittedBlock> List(BlobAddress blob)
    {
        using var folder = files.OpenFolder(Folder(blob));
        if (folder is null)
        {
            return [];
        }

        var found = new List<CommittedBlock>();
        foreach (var entry in SafeFiles.Entries(folder))
        {
            if (SafeFiles.StampIn(folder, entry.Name) is { } stamp)
            {
                found.Add(new(Convert.ToBase64String(Convert.FromHexString(entry.Name)), stamp.Size));
            }
        }

        found.Sort((x, y) => string.CompareOrdinal(x.Id, y.Id));
        return found;
    }

    public void Clear(BlobAddress blob) => files.DeleteTree(Folder(blob));

    public void ClearContainer(string account, string container) => files.DeleteTree($"{Root}/{account}/{container}");

    /// <summary>Deletes the blocks of blobs whose newest block is older than <paramref name="before"/>; returns of how many blobs.</summary>
    public int Sweep(DateTimeOffset before)
    {
        var swept = 0;
        foreach (var folder in Folders(Root).SelectMany(Folders).SelectMany(Folders))
        {
            if (IsOlder(folder, before))
            {
                files.DeleteTree(folder);
                swept++;
            }
        }

        return swept;
    }

    private bool IsOlder(string path, DateTimeOffset before)
    {
        using var folder = files.OpenFolder(path);
        return folder is not null && SafeFiles.Entries(folder).All(entry => SafeFiles.StampIn(folder, entry.Name) is not { } stamp || stamp.LastModified < before);
    }

    private List<string> Folders(string path)
    {
        using var folder = files.OpenFolder(path);
        return folder is null ? [] : [.. SafeFiles.Entries(folder).Where(e => e.IsFolder).Select(e => $"{path}/{e.Name}")];
    }

    private static string Folder(BlobAddress blob) =>
        $"{Root}/{blob.Account}/{blob.Container}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(blob.Name)))}";

    private static string FileName(byte[] id) => Convert.ToHexStringLower(id);
}
