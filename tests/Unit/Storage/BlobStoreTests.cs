using FsCheck;
using FsCheck.Fluent;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Names;

namespace Zaffre.Tests.Unit.Storage;

public sealed class BlobStoreTests : IAsyncLifetime
{
    private StorageFixture fixture = null!;

    public async Task InitializeAsync() => fixture = await new StorageFixture().WithContainerAsync();

    public Task DisposeAsync()
    {
        fixture.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_blob_is_a_plain_file_and_keeps_what_a_file_cannot()
    {
        await fixture.PutAsync("dir/a.txt", "hello", new BlobWrite { ContentType = "text/plain", Metadata = new Dictionary<string, string> { ["k"] = "v" } });
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(fixture.Folder, "dir/a.txt")));
        var found = await fixture.Store.FindAsync(fixture.Blob("dir/a.txt"), default);
        Assert.Equal(("text/plain", "v", 5L), (found!.ContentType, found.Metadata["K"], found.Size));
        Assert.Equal("XUFAKrxLKna5cZ2REBfFkg==", Convert.ToBase64String(found.ContentMd5!));
        Assert.Empty(fixture.Temps());
    }

    [Fact]
    public async Task A_file_that_changed_by_itself_wins_over_its_row()
    {
        var before = await fixture.PutAsync("a", "hello", new BlobWrite { ContentType = "text/plain" });
        await File.AppendAllTextAsync(Path.Combine(fixture.Folder, "a"), "!");
        var after = await fixture.Store.FindAsync(fixture.Blob("a"), default);
        Assert.NotEqual(before.ETag, after!.ETag);
        Assert.Equal((6L, "application/octet-stream", null), (after.Size, after.ContentType, after.ContentMd5));
    }

    [Fact]
    public async Task A_growing_log_is_read_as_long_as_it_was_at_opening()
    {
        var folder = fixture.Store.EnsureFolder(fixture.Blob("logs/job")).Value;
        var path = Path.Combine(folder, "std_log.txt");
        await File.WriteAllTextAsync(path, "one\n");
        await using var stream = (await fixture.Store.OpenReadAsync(fixture.Blob("logs/job/std_log.txt"), default))!;
        await File.AppendAllTextAsync(path, "two\n");
        using var reader = new StreamReader(stream);
        Assert.Equal("one\n", await reader.ReadToEndAsync());
        Assert.Equal("one\ntwo\n", await fixture.ReadAsync("logs/job/std_log.txt"));
    }

    [Fact]
    public async Task A_blob_and_a_folder_of_the_same_name_live_side_by_side_in_either_order()
    {
        await fixture.PutAsync("x", "file first");
        await fixture.PutAsync("x/y", "below");
        await fixture.PutAsync("p/q", "below first");
        await fixture.PutAsync("p", "file");
        Assert.Equal(["p", "p/q", "x", "x/y"], await fixture.NamesAsync());
        Assert.Equal("file first", await fixture.ReadAsync("x"));
        Assert.Equal("file", await fixture.ReadAsync("p"));
        await fixture.PutAsync("x", "again");
        Assert.Equal("again", await fixture.ReadAsync("x"));
        Assert.True(await fixture.Store.DeleteAsync(fixture.Blob("x"), default));
        Assert.Null(await fixture.ReadAsync("x"));
        Assert.Equal("below", await fixture.ReadAsync("x/y"));
    }

    [Fact]
    public async Task A_deleted_folder_makes_room_without_bringing_old_content_back()
    {
        await fixture.PutAsync("x/y", "below");
        await fixture.PutAsync("x", "beside");
        await fixture.Store.DeleteFolderAsync(fixture.Blob("x"), default);
        Assert.Equal("beside", await fixture.ReadAsync("x"));
        await fixture.PutAsync("x", "plain");
        Assert.Equal(["x"], await fixture.NamesAsync());
        Assert.True(await fixture.Store.DeleteAsync(fixture.Blob("x"), default));
        Assert.Null(await fixture.ReadAsync("x"));
    }

    [Fact]
    public void Random_names_are_kept_listed_in_order_paged_without_gaps_and_deleted() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(15), Prop.ForAll(Arb.From(Gen.ListOf(BlobNames.Names)), Arb.From(Gen.Choose(1, 7)), (names, top) =>
            NamesRoundTripAsync([.. names.Where(NameRules.IsBlob).Distinct(StringComparer.Ordinal).Take(25)], top).GetAwaiter().GetResult()));

    [Fact]
    public async Task Prefix_and_delimiter_roll_up_and_page_without_gaps()
    {
        foreach (var name in (string[])["a", "a/1", "a/2/x", "a.b", "b/1", "b/2", "bc", "c//d", "dä/x"])
        {
            await fixture.PutAsync(name, "");
        }

        foreach (var max in (int[])[1, 2, 3, 100])
        {
            Assert.Equal(["a", "a.b", "a/", "b/", "bc", "c/", "dä/"], await RolledAsync("", max));
            Assert.Equal(["a/1", "a/2/"], await RolledAsync("a/", max));
            Assert.Equal(["b/", "bc"], await RolledAsync("b", max));
            Assert.Equal(["c//"], await RolledAsync("c/", max));
            Assert.Empty(await RolledAsync("e", max));
        }
    }

    [Fact]
    public async Task Of_many_writers_with_OnlyIfAbsent_one_wins()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            using var stream = new MemoryStream([(byte)i]);
            return await fixture.Store.PutAsync(fixture.Blob("deep/once"), stream, new BlobWrite { OnlyIfAbsent = true }, default);
        }));
        Assert.Single(results, r => r.Succeeded);
        Assert.All(results.Where(r => !r.Succeeded), r => Assert.Equal((ProblemKind.Conflict, "BlobAlreadyExists"), (r.Problem!.Kind, r.Problem.Code)));
    }

    [Fact]
    public async Task Of_many_writers_the_last_wins_whole_with_its_own_metadata()
    {
        await Task.WhenAll(Enumerable.Range(0, 24).Select(i =>
            fixture.PutAsync("shared", new string((char)('a' + i), 5000 + i), new BlobWrite { Metadata = new Dictionary<string, string> { ["i"] = $"{i}" } })));
        var content = await fixture.ReadAsync("shared");
        var winner = content![0] - 'a';
        Assert.Equal(new string((char)('a' + winner), 5000 + winner), content);
        Assert.Equal($"{winner}", (await fixture.Store.FindAsync(fixture.Blob("shared"), default))!.Metadata["i"]);
        Assert.Empty(fixture.Temps());
    }

    [Fact]
    public async Task Appending_creates_and_grows()
    {
        Assert.Equal(2, (await fixture.Store.AppendAsync(fixture.Blob("log"), "ab"u8.ToArray(), default)).Value.Size);
        Assert.Equal(3, (await fixture.Store.AppendAsync(fixture.Blob("log"), "c"u8.ToArray(), default)).Value.Size);
        Assert.Equal("abc", await fixture.ReadAsync("log"));
    }

    [Fact]
    public async Task A_digest_depends_on_names_and_contents_only()
    {
        foreach (var folder in (string[])["one", "two"])
        {
            await fixture.PutAsync(folder + "/b", "B");
            await fixture.PutAsync(folder + "/a/x", "A");
        }

        var one = await fixture.Store.DigestAsync(fixture.Blob("one"), default);
        Assert.Equal(one, await fixture.Store.DigestAsync(fixture.Blob("two/"), default));
        Assert.Equal((2L, 2L), (one.Files, one.Bytes));
        await fixture.PutAsync("two/b", "C");
        Assert.NotEqual(one.Sha256, (await fixture.Store.DigestAsync(fixture.Blob("two"), default)).Sha256);
    }

    [Fact]
    public async Task A_missing_container_or_an_illegal_name_is_a_problem()
    {
        using var stream = new MemoryStream();
        Assert.Equal("ContainerNotFound", (await fixture.Store.PutAsync(new BlobAddress("acct1", "nope", "a"), stream, new(), default)).Problem?.Code);
        Assert.Equal("InvalidResourceName", (await fixture.Store.PutAsync(fixture.Blob(new string('a', 1025)), stream, new(), default)).Problem?.Code);
        Assert.Equal("ContainerNotFound", fixture.Store.EnsureFolder(new BlobAddress("acct1", "nope", "a")).Problem?.Code);
        Assert.Equal("InvalidResourceName", (await fixture.Get<IStorageAccounts>().EnsureAsync("No", new("/x"), default)).Problem?.Code);
        Assert.Equal("InvalidResourceName", (await fixture.Get<IStorageAccounts>().EnsureContainerAsync("acct1", "N", default)).Problem?.Code);
        Assert.Null(await fixture.Store.FindAsync(new BlobAddress("..", "cont", "a"), default));
    }

    [Fact]
    public void Blocks_that_nobody_commits_are_swept_after_their_last_one()
    {
        var stage = fixture.Get<BlockStage>();
        using (var temp = fixture.Files.CreateTemp())
        {
            temp.Write("x"u8);
            stage.Put(fixture.Blob("pending"), "MQ==", temp);
        }

        Assert.Equal(0, stage.Sweep(DateTimeOffset.UtcNow.AddMinutes(-1)));
        Assert.Single(stage.List(fixture.Blob("pending")));
        Assert.Equal(1, stage.Sweep(DateTimeOffset.UtcNow.AddMinutes(1)));
        Assert.Empty(stage.List(fixture.Blob("pending")));
    }

    private async Task<List<string>> RolledAsync(string prefix, int max)
    {
        var names = new List<string>();
        string? marker = null;
        do
        {
            var (items, next) = await fixture.Lister.ListAsync(new ListQuery(fixture.Blob(""), prefix, "/", marker, max), default);
            names.AddRange(items.Select(i => i.Name));
            marker = next;
        }
        while (marker is not null);
        return names;
    }

    private async Task NamesRoundTripAsync(List<string> names, int top)
    {
        foreach (var name in names)
        {
            await fixture.PutAsync(name, name);
        }

        Assert.Equal(names.Order(NameOrder.Instance), await fixture.NamesAsync("", top));
        foreach (var name in names)
        {
            Assert.Equal(name, await fixture.ReadAsync(name));
            var prefix = name[..(name.Length / 2)];
            Assert.Equal(names.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(NameOrder.Instance), await fixture.NamesAsync(prefix, top));
        }

        foreach (var name in names)
        {
            Assert.True(await fixture.Store.DeleteAsync(fixture.Blob(name), default));
        }

        Assert.Empty(await fixture.NamesAsync());
    }
}
