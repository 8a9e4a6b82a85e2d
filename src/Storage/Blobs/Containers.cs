using Zaffre.Database;
using Zaffre.Storage.Data;
using Zaffre.Storage.Files;
using Zaffre.Storage.Names;

namespace Zaffre.Storage.Blobs;

/// <summary>A container as it is.</summary>
internal sealed record ContainerState(string Name, DateTimeOffset Modified, IReadOnlyDictionary<string, string> Metadata)
{
    public string Tag => $"0x{Modified.ToUnixTimeMilliseconds():X}";
}

/// <summary>Containers: a folder each, with a row for what the folder cannot keep. Thread safe.</summary>
internal sealed class Containers(SafeFiles files, IDatabase database, BlockStage stage, DiskSync disk)
{
    public bool Exists(string account, string container) =>
        NameRules.IsAccount(account) && NameRules.IsContainer(container) && files.FolderExists($"{account}/{container}");

    public async Task<ContainerState?> FindAsync(string account, string container, CancellationToken ct)
    {
        if (!Exists(account, container))
        {
            return null;
        }

        var row = await database.ReadAsync(connection => AccountRows.FindContainer(connection, account, container), ct);
        return row is null
            ? new(container, DateTimeOffset.UnixEpoch, BlobProperties.NoMetadata)
            : new(container, DateTimeOffset.FromUnixTimeMilliseconds(row.Modified), BlobProperties.UnpackMetadata(row.Metadata));
    }

    /// <summary>Makes the container; false when it exists.</summary>
    public async Task<bool> CreateAsync(string account, string container, IReadOnlyDictionary<string, string> metadata, CancellationToken ct)
    {
        CheckName(container);
        if (Exists(account, container))
        {
            return false;
        }

        files.EnsureFolder($"{account}/{container}");
        await SetMetadataAsync(account, container, metadata, ct);
        return true;
    }

    public Task SetMetadataAsync(string account, string container, IReadOnlyDictionary<string, string> metadata, CancellationToken ct)
    {
        var packed = new BlobProperties { Metadata = metadata }.PackMetadata();
        return database.WriteAsync(scope => AccountRows.PutContainer(scope, account, container, packed), ct);
    }

    /// <summary>Deletes the container and everything in it; false when there is none.</summary>
    public async Task<bool> DeleteAsync(string account, string container, CancellationToken ct)
    {
        if (!Exists(account, container))
        {
            return false;
        }

        await disk.RunAsync(() =>
        {
            files.DeleteTree($"{account}/{container}");
            stage.ClearContainer(account, container);
        });
        await database.WriteAsync(
            scope =>
            {
                BlobRows.DeleteBelow(scope, new BlobAddress(account, container, ""));
                AccountRows.DeleteContainer(scope, account, container);
            },
            ct);
        return true;
    }

    /// <summary>The account's containers in order.</summary>
    public IReadOnlyList<string> List(string account)
    {
        using var folder = files.OpenFolder(account);
        return folder is null ? [] : [.. SafeFiles.Entries(folder).Where(e => e.IsFolder && NameRules.IsContainer(e.Name)).Select(e => e.Name).Order(StringComparer.Ordinal)];
    }

    public static void CheckName(string container)
    {
        if (!NameRules.IsContainer(container))
        {
            throw BlobErrors.InvalidName($"'{container}' is no container name: 3 to 63 lower-case letters, digits and single hyphens.");
        }
    }
}
