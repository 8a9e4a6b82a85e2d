using System.Data.Common;
using System.Text.Json;
using Dapper;
using Zaffre.Database;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Data;

/// <summary>The rows that keep what files cannot. A row counts only while its stamp is the file's.</summary>
internal static class BlobRows
{
    private const string Columns = "name AS Name, inode AS Inode, size AS Size, mtime AS Mtime, created AS Created, type AS Type, md5 AS Md5, headers AS Headers, metadata AS Metadata, copy AS Copy";

    public static BlobRow? Find(DbConnection connection, BlobAddress blob) => connection.QueryFirstOrDefault<BlobRow>(
        $"SELECT {Columns} FROM blobs WHERE account = @Account AND container = @Container AND name = @Name", blob);

    /// <summary>The rows of the given names in one container.</summary>
    public static Dictionary<string, BlobRow> Find(DbConnection connection, BlobAddress container, IEnumerable<string> names) => connection.Query<BlobRow>(
        $"SELECT {Columns} FROM blobs WHERE account = @Account AND container = @Container AND name IN (SELECT value FROM json_each(@names))",
        new { container.Account, container.Container, names = JsonSerializer.Serialize(names) }).ToDictionary(r => r.Name, StringComparer.Ordinal);

    public static void Put(WriteScope scope, BlobAddress blob, FileStamp stamp, BlobProperties properties)
    {
        scope.Execute(
            """
            INSERT INTO blobs (account, container, name, inode, size, mtime, created, type, md5, headers, metadata, copy)
            VALUES (@Account, @Container, @Name, @Inode, @Size, @Modified, @created, @Type, @Md5, @headers, @metadata, @copy)
            ON CONFLICT (account, container, name) DO UPDATE SET inode = @Inode, size = @Size, mtime = @Modified,
              created = @created, type = @Type, md5 = @Md5, headers = @headers, metadata = @metadata, copy = @copy
            """,
            new
            {
                blob.Account,
                blob.Container,
                blob.Name,
                stamp.Inode,
                stamp.Size,
                stamp.Modified,
                created = (properties.Created ?? scope.Now).ToUnixTimeMilliseconds(),
                properties.Type,
                properties.Md5,
                headers = properties.Headers.Pack(),
                metadata = properties.PackMetadata(),
                copy = properties.Copy?.Pack() ?? "",
            });
    }

    public static void PutBlocks(WriteScope scope, BlobAddress blob, IReadOnlyList<CommittedBlock> blocks)
    {
        if (blocks.Count == 0)
        {
            scope.Execute("DELETE FROM blob_blocks WHERE account = @Account AND container = @Container AND name = @Name", blob);
            return;
        }

        scope.Execute(
            "INSERT INTO blob_blocks (account, container, name, blocks) VALUES (@Account, @Container, @Name, @blocks) ON CONFLICT DO UPDATE SET blocks = @blocks",
            new { blob.Account, blob.Container, blob.Name, blocks = JsonSerializer.Serialize(blocks) });
    }

    public static IReadOnlyList<CommittedBlock> Blocks(DbConnection connection, BlobAddress blob) =>
        connection.QueryFirstOrDefault<string>("SELECT blocks FROM blob_blocks WHERE account = @Account AND container = @Container AND name = @Name", blob) is { } json
            ? JsonSerializer.Deserialize<List<CommittedBlock>>(json) ?? []
            : [];

    public static void Delete(WriteScope scope, BlobAddress blob)
    {
        scope.Execute("DELETE FROM blobs WHERE account = @Account AND container = @Container AND name = @Name", blob);
        PutBlocks(scope, blob, []);
    }

    /// <summary>Forgets everything below a folder; the folder's name is empty (the container) or ends with a slash.</summary>
    public static void DeleteBelow(WriteScope scope, BlobAddress folder)
    {
        // '0' is the character after '/'.
        var end = folder.Name.Length == 0 ? null : folder.Name[..^1] + "0";
        foreach (var table in (string[])["blobs", "blob_blocks"])
        {
            scope.Execute(
                $"DELETE FROM {table} WHERE account = @Account AND container = @Container AND name >= @Name AND (@end IS NULL OR name < @end)",
                new { folder.Account, folder.Container, folder.Name, end });
        }
    }
}

/// <summary>A block of a committed block list: its id as sent and its size.</summary>
internal sealed record CommittedBlock(string Id, long Size);

/// <summary>One row of <c>blobs</c>.</summary>
internal sealed class BlobRow
{
    public required string Name { get; init; }

    public long Inode { get; init; }

    public long Size { get; init; }

    public long Mtime { get; init; }

    public long Created { get; init; }

    public required string Type { get; init; }

    public byte[]? Md5 { get; init; }

    public required string Headers { get; init; }

    public required string Metadata { get; init; }

    public required string Copy { get; init; }

    public BlobState StateAt(FileStamp stamp) => new FileStamp(Inode, Size, Mtime) != stamp
        ? new(Name, stamp, new())
        : new(Name, stamp, new()
        {
            Type = Type,
            Md5 = Md5,
            Headers = ContentHeaders.Unpack(Headers),
            Metadata = BlobProperties.UnpackMetadata(Metadata),
            Copy = CopyRecord.Unpack(Copy),
            Created = DateTimeOffset.FromUnixTimeMilliseconds(Created),
        });
}
