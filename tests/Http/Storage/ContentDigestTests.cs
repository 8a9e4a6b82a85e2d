using System.Text;
using Zaffre.Storage;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Storage;

/// <summary>What lies at a place, by content, without reading twice what did not change.</summary>
public sealed class ContentDigestTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private IBlobStore Store => host.Get<IBlobStore>();

    private IContentDigests Digests => host.Get<IContentDigests>();

    [Fact]
    public async Task A_digest_is_that_of_the_store_however_often_and_whatever_changes()
    {
        var folder = await FolderAsync("changes");
        await WriteAsync(folder, "a.txt", "one");
        await WriteAsync(folder, "a/b.txt", "two");
        await WriteAsync(folder, "a b%c\\d", "three");
        await WriteAsync(folder, "\ud83d\ude00/\uffee", "four");
        await SameAsync(folder);
        await SameAsync(folder);
        await WriteAsync(folder, "a.txt", "eno");
        await SameAsync(folder);
        await WriteAsync(folder, "z.txt", "new");
        await Store.DeleteAsync(folder.Child("a/b.txt"), CancellationToken.None);
        await SameAsync(folder);
        await Store.DeleteFolderAsync(folder, CancellationToken.None);
        Assert.Equal(0, (await SameAsync(folder)).Files);
        await WriteAsync(folder, "again.txt", "");
        await SameAsync(folder);
        await SameAsync(folder.Child("again.txt"));
    }

    [Fact]
    public async Task A_file_that_changed_back_to_its_size_and_time_is_read_again()
    {
        var folder = await FolderAsync("times");
        await WriteAsync(folder, "data", "before");
        var path = Path.Combine(Store.TryGetLocalPath(folder)!, "data");
        var time = DateTime.UtcNow.AddHours(-1);
        File.SetLastWriteTimeUtc(path, time);
        await Task.Delay(150);
        var before = await SameAsync(folder);
        await File.WriteAllTextAsync(path, "behind");
        File.SetLastWriteTimeUtc(path, time);
        Assert.NotEqual(before.Sha256, (await SameAsync(folder)).Sha256);
    }

    [Fact]
    public async Task Files_that_were_told_have_the_digest_that_they_get_when_they_are_there()
    {
        var folder = await FolderAsync("told");
        var files = new[] { ("b/c", "1"), ("b", "22"), ("b.c", ""), ("\ud83d\ude00", "4"), ("\uffee", "5") };
        foreach (var (name, text) in files)
        {
            await WriteAsync(folder, name, text);
        }

        var told = Digests.Of(files.Select(file => new ContentFile(file.Item1, Sha256(file.Item2), Encoding.UTF8.GetByteCount(file.Item2))));
        Assert.Equal(told, await SameAsync(folder));
    }

    [Fact]
    public async Task A_comparison_counts_what_differs_and_names_the_first()
    {
        var (one, other) = (await FolderAsync("left"), await FolderAsync("right"));
        foreach (var (folder, mark) in new[] { (one, "1"), (other, "2") })
        {
            await WriteAsync(folder, "same", "same");
            for (var i = 0; i < 20; i++)
            {
                await WriteAsync(folder, $"f{i:00}", mark);
            }
        }

        await WriteAsync(one, "a-gone", "");
        await WriteAsync(other, "z-new", "");
        var (left, right) = (await SameAsync(one), await SameAsync(other));
        var found = await Digests.CompareAsync(left.Sha256, right.Sha256, 3, CancellationToken.None);
        Assert.Equal(22, found!.Count);
        Assert.Equal(["a-gone", "f00", "f01"], found.First.Select(change => change.Name));
        Assert.Null(found.First[0].After);
        Assert.Equal(0, (await Digests.CompareAsync(left.Sha256, left.Sha256, 3, CancellationToken.None))!.Count);
        Assert.Null(await Digests.CompareAsync(left.Sha256, new string('0', 64), 3, CancellationToken.None));
    }

    [Fact]
    public async Task Torn_files_of_what_is_known_are_as_none()
    {
        var folder = await FolderAsync("torn");
        await WriteAsync(folder, "data", "text");
        await Task.Delay(150);
        await SameAsync(folder);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(host.Root, "digests", "places"), "*", SearchOption.AllDirectories))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            await File.WriteAllBytesAsync(file, bytes[..(bytes.Length / 2)]);
        }

        await SameAsync(folder);
    }

    private static string Sha256(string text) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private async Task<FolderDigest> SameAsync(BlobAddress place)
    {
        var digest = await Digests.OfAsync(place, CancellationToken.None);
        Assert.Equal(await Store.DigestAsync(place, CancellationToken.None), digest);
        return digest;
    }

    private async Task<BlobAddress> FolderAsync(string name)
    {
        var store = (await host.Get<IDatastores>().ResolveAsync(host.Workspace, "workspaceblobstore", CancellationToken.None)).Value;
        return new BlobAddress(store.Account, store.Container, "digests/" + name);
    }

    private async Task WriteAsync(BlobAddress folder, string name, string text)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        Assert.True((await Store.PutAsync(folder.Child(name), content, new BlobWrite(), CancellationToken.None)).TryGet(out _, out var problem), problem?.Message);
    }
}
