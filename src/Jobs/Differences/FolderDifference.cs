using System.Security.Cryptography;
using System.Text;
using Zaffre.Storage;

namespace Zaffre.Jobs.Differences;

/// <summary>A file that is not the same in both folders; <paramref name="Change"/> is <c>added</c>, <c>removed</c> or <c>changed</c>.</summary>
internal sealed record FileDifference(string Name, string Change)
{
    /// <summary>The lines that differ, when both are texts of moderate size; else null.</summary>
    public IReadOnlyList<Hunk>? Hunks { get; init; }

    /// <summary>As <c>clean.py changed: lines 4-9</c>.</summary>
    public override string ToString() => Hunks is { Count: > 0 } ? $"{Name} {Change}: {string.Join(", ", Hunks.Take(8))}{(Hunks.Count > 8 ? ", ..." : "")}" : $"{Name} {Change}";
}

/// <summary>What differs between two folders of blobs, or two blobs, by name and content.</summary>
internal sealed class FolderDifference(IBlobStore store)
{
    /// <summary>Most files of a folder that are looked at.</summary>
    public const int MostFiles = 10_000;

    private const int MostText = 256 * 1024;

    /// <summary>The files that differ, ordered by name; null when a folder has more than <see cref="MostFiles"/>. A null place is an empty folder.</summary>
    public async Task<IReadOnlyList<FileDifference>?> OfAsync(BlobAddress? before, BlobAddress? after, CancellationToken ct)
    {
        if (await FilesAsync(before, ct) is not { } old || await FilesAsync(after, ct) is not { } now)
        {
            return null;
        }

        var found = new List<FileDifference>();
        foreach (var name in old.Keys.Union(now.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            if (!old.TryGetValue(name, out var one))
            {
                found.Add(new FileDifference(name, "added"));
            }
            else if (!now.TryGetValue(name, out var other))
            {
                found.Add(new FileDifference(name, "removed"));
            }
            else if (await CompareAsync(name, before!.Value.At(one.Name), after!.Value.At(other.Name), one.Size == other.Size, Math.Max(one.Size, other.Size), ct) is { } difference)
            {
                found.Add(difference);
            }
        }

        return found;
    }

    /// <summary>Relative name to blob; the empty name is the blob that the place itself is.</summary>
    private async Task<Dictionary<string, BlobInfo>?> FilesAsync(BlobAddress? place, CancellationToken ct)
    {
        var files = new Dictionary<string, BlobInfo>(StringComparer.Ordinal);
        if (place is not { } address)
        {
            return files;
        }

        if (address.Name.Length > 0 && !address.Name.EndsWith('/') && await store.FindAsync(address, ct) is { } single)
        {
            files[address.Name[(address.Name.LastIndexOf('/') + 1)..]] = single;
            return files;
        }

        var prefix = address.Name.Length == 0 || address.Name.EndsWith('/') ? address.Name : address.Name + "/";
        string? continuation = null;
        do
        {
            var page = await store.ListAsync(address.At(prefix), 1000, continuation, ct);
            foreach (var blob in page.Items)
            {
                files[blob.Name[prefix.Length..]] = blob;
            }

            continuation = page.Next;
            if (files.Count > MostFiles)
            {
                return null;
            }
        }
        while (continuation is not null);
        return files;
    }

    private async Task<FileDifference?> CompareAsync(string name, BlobAddress old, BlobAddress now, bool sameSize, long size, CancellationToken ct)
    {
        if (size <= MostText)
        {
            var (before, after) = (await ReadAsync(old, ct), await ReadAsync(now, ct));
            if (before.AsSpan().SequenceEqual(after))
            {
                return null;
            }

            var changed = new FileDifference(name, "changed");
            return Text(before) is { } one && Text(after) is { } other ? changed with { Hunks = TextDifference.Of(one, other) } : changed;
        }

        return sameSize && await DigestAsync(old, ct) == await DigestAsync(now, ct) ? null : new FileDifference(name, "changed");
    }

    private async Task<byte[]> ReadAsync(BlobAddress blob, CancellationToken ct)
    {
        await using var stream = await store.OpenReadAsync(blob, ct);
        if (stream is null)
        {
            return [];
        }

        var content = new MemoryStream();
        await stream.CopyToAsync(content, ct);
        return content.ToArray();
    }

    private async Task<string> DigestAsync(BlobAddress blob, CancellationToken ct)
    {
        await using var stream = await store.OpenReadAsync(blob, ct);
        return stream is null ? "" : Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, ct));
    }

    private static string? Text(byte[] content)
    {
        try
        {
            return content.AsSpan().Contains((byte)0) ? null : new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(content);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
