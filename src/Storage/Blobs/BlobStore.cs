using System.Buffers;
using System.Security.Cryptography;
using Zaffre.Kernel;
using Zaffre.Storage.Files;
using Zaffre.Storage.Names;

namespace Zaffre.Storage.Blobs;

/// <inheritdoc cref="IBlobStore"/>
internal sealed class BlobStore(BlobFiles blobs, BlobWriter writer, BlobLister lister) : IBlobStore
{
    private const int BufferSize = 256 * 1024;

    private static readonly string Empty = Convert.ToHexStringLower(SHA256.HashData([]));

    public async Task<BlobInfo?> FindAsync(BlobAddress blob, CancellationToken ct) =>
        IsReadable(blob) && await blobs.FindAsync(blob, ct) is { } state ? state.ToInfo() : null;

    public Task<Stream?> OpenReadAsync(BlobAddress blob, CancellationToken ct) =>
        Task.FromResult<Stream?>(IsReadable(blob) && blobs.Open(blob) is { } file ? new BlobStream(file) : null);

    public Task<Outcome<BlobInfo>> PutAsync(BlobAddress blob, Stream content, BlobWrite options, CancellationToken ct) => GuardAsync(async () =>
    {
        CheckWritable(blob);
        using var temp = writer.CreateTemp();
        var md5 = await CopyAsync(content, temp, ct);
        var properties = new BlobProperties { Md5 = md5, Headers = new() { Type = options.ContentType }, Metadata = options.Metadata };
        return (await writer.CommitAsync(blob, temp, properties, options.OnlyIfAbsent ? BlobConditions.Absent : BlobConditions.None, [], ct)).ToInfo();
    });

    public Task<Outcome<BlobInfo>> AppendAsync(BlobAddress blob, ReadOnlyMemory<byte> content, CancellationToken ct) => GuardAsync(async () =>
    {
        CheckWritable(blob);
        using var temp = writer.CreateTemp();
        temp.Write(content.Span);
        if (blobs.Stamp(blob) is not null)
        {
            return (await writer.AppendAsync(blob, temp, new(BlobConditions.None, null, null, AnyType: true), ct)).State.ToInfo();
        }

        var properties = new BlobProperties { Type = BlobProperties.Append };
        return (await writer.CommitAsync(blob, temp, properties, BlobConditions.Absent, [], ct)).ToInfo();
    });

    public Problem? WriteLog(BlobAddress blob, ReadOnlySpan<byte> lines, bool append)
    {
        try
        {
            CheckWritable(blob);
            var path = BlobFiles.PlainPath(blob);
            if (blobs.ContainerExists(blob))
            {
                blobs.EnsureFolder(blob, path[..path.LastIndexOf('/')], sync: false);
                return blobs.Files.Write(path, lines, append) ? null : BlobProblems.Of(BlobErrors.BlobNotFound().Error);
            }

            return BlobProblems.Of(BlobErrors.ContainerNotFound().Error);
        }
        catch (Exception error) when (BlobProblems.TryOf(error, out var problem))
        {
            return problem;
        }
    }

    public async Task<Page<BlobInfo>> ListAsync(BlobAddress prefix, int top, string? continuation, CancellationToken ct)
    {
        var max = Math.Clamp(top, 1, BlobLister.MaxResults);
        var (items, next) = await lister.ListAsync(new ListQuery(prefix, prefix.Name, "", continuation, max), ct);
        return new([.. items.Select(i => i.State!.ToInfo())], next);
    }

    public async Task<bool> DeleteAsync(BlobAddress blob, CancellationToken ct) =>
        IsReadable(blob) && await writer.DeleteAsync(blob, BlobConditions.None, ct);

    public Task DeleteFolderAsync(BlobAddress folder, CancellationToken ct)
    {
        var name = folder.Name.TrimEnd('/');
        return name.Length > 0 && IsReadable(folder.At(name))
            ? writer.DeleteFolderAsync(folder.At(name + "/"), ct)
            : throw new ArgumentException($"'{folder}' names no folder inside a container.", nameof(folder));
    }

    public string? TryGetLocalPath(BlobAddress blob)
    {
        var name = blob.Name.TrimEnd('/');
        if (name.Length > 0 && !IsReadable(blob.At(name)))
        {
            return null;
        }

        var folder = BlobFiles.FolderPath(name.Length == 0 ? blob.At("") : blob.At(name + "/"));
        var path = blobs.Files.FolderExists(folder) ? folder
            : name.Length == 0 ? null
            : new[] { BlobFiles.PlainPath(blob.At(name)), BlobFiles.BesidePath(blob.At(name)) }.FirstOrDefault(p => blobs.Files.Stamp(p) is not null);
        return path is null ? null : Path.Combine(blobs.Files.RootPath, path);
    }

    public Outcome<string> EnsureFolder(BlobAddress folder)
    {
        try
        {
            var name = folder.Name.TrimEnd('/');
            if (!NameRules.IsAccount(folder.Account) || !NameRules.IsContainer(folder.Container) || !blobs.ContainerExists(folder))
            {
                return BlobProblems.Of(BlobErrors.ContainerNotFound().Error);
            }

            if (name.Length > 0)
            {
                CheckWritable(folder.At(name));
            }

            var path = BlobFiles.FolderPath(name.Length == 0 ? folder.At("") : folder.At(name + "/"));
            blobs.EnsureFolder(folder, path, sync: false);
            return Path.Combine(blobs.Files.RootPath, path);
        }
        catch (Exception error) when (BlobProblems.TryOf(error, out var problem))
        {
            return problem;
        }
    }

    public async Task<FolderDigest> DigestAsync(BlobAddress folder, CancellationToken ct)
    {
        using var manifest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (count, bytes) = (0L, 0L);
        var name = folder.Name.TrimEnd('/');
        async Task AddAsync(OpenFile file, string relative)
        {
            using (file)
            {
                var digest = await HashAsync(file, ct);
                manifest.AppendData(System.Text.Encoding.UTF8.GetBytes($"{digest} {file.Stamp.Size} {relative}\n"));
                (count, bytes) = (count + 1, bytes + file.Stamp.Size);
            }
        }

        if (name.Length > 0 && IsReadable(folder.At(name)) && blobs.Open(folder.At(name)) is { } single)
        {
            await AddAsync(single, "");
        }

        var prefix = name.Length == 0 ? "" : name + "/";
        using var walker = new BlobWalker(blobs.Files, folder, prefix, after: null, BlobLister.MaxResults);
        while (walker.Next() is { } found)
        {
            if (blobs.Open(folder.At(found.Name)) is { } file)
            {
                await AddAsync(file, found.Name[prefix.Length..]);
            }
        }

        return new(Convert.ToHexStringLower(manifest.GetHashAndReset()), count, bytes);
    }

    /// <summary>The SHA-256 of a file as long as it was when it was opened.</summary>
    internal static async Task<string> HashAsync(OpenFile file, CancellationToken ct)
    {
        if (file.Stamp.Size == 0)
        {
            return Empty;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferSize, file.Stamp.Size));
        try
        {
            int read;
            for (var offset = 0L; offset < file.Stamp.Size; offset += read)
            {
                var want = (int)Math.Min(buffer.Length, file.Stamp.Size - offset);
                read = await RandomAccess.ReadAsync(file.Handle, buffer.AsMemory(0, want), offset, ct);
                if (read == 0)
                {
                    break;
                }

                hash.AppendData(buffer, 0, read);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<byte[]> CopyAsync(Stream content, TempFile temp, CancellationToken ct)
    {
        // MD5 is what the protocol stores; it guards against accidents only.
#pragma warning disable CA5351
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int read;
            while ((read = await content.ReadAsync(buffer.AsMemory(0, BufferSize), ct)) > 0)
            {
                md5.AppendData(buffer, 0, read);
                temp.Write(buffer.AsSpan(0, read));
            }

            return md5.GetHashAndReset();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<Outcome<BlobInfo>> GuardAsync(Func<Task<BlobInfo>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (BlobProblems.TryOf(error, out var problem))
        {
            return problem;
        }
    }

    private static bool IsReadable(BlobAddress blob) =>
        NameRules.IsAccount(blob.Account) && NameRules.IsContainer(blob.Container) && NameRules.IsBlob(blob.Name);

    private static void CheckWritable(BlobAddress blob)
    {
        if (!IsReadable(blob))
        {
            throw BlobErrors.InvalidName($"'{blob}'.");
        }
    }
}
