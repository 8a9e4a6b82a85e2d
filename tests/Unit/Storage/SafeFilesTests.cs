using System.Diagnostics;
using System.Runtime.InteropServices;
using Zaffre.Storage;

namespace Zaffre.Tests.Unit.Storage;

/// <summary>What a job may plant in a folder that it can write to.</summary>
public sealed class SafeFilesTests : IAsyncLifetime
{
    private readonly string outside = Directory.CreateTempSubdirectory("zaffre-outside-").FullName;
    private StorageFixture fixture = null!;

    public async Task InitializeAsync()
    {
        fixture = await new StorageFixture().WithContainerAsync();
        await File.WriteAllTextAsync(Path.Combine(outside, "secret"), "secret");
        await fixture.PutAsync("out/real", "real");
    }

    public Task DisposeAsync()
    {
        fixture.Dispose();
        Directory.Delete(outside, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Planted_links_pipes_and_sockets_are_not_blobs()
    {
        var folder = Path.Combine(fixture.Folder, "out");
        File.CreateSymbolicLink(Path.Combine(folder, "link"), Path.Combine(outside, "secret"));
        File.CreateSymbolicLink(Path.Combine(folder, "inside"), "real");
        Directory.CreateSymbolicLink(Path.Combine(folder, "folder"), outside);
        Run("mkfifo", Path.Combine(folder, "pipe"));
        Run("mknod", Path.Combine(folder, "null"), "c", "1", "3");

        Assert.Equal(["out/real"], await fixture.NamesAsync());
        foreach (var name in (string[])["out/link", "out/inside", "out/folder/secret", "out/pipe", "out/null", "out/folder"])
        {
            Assert.Null(await fixture.ReadAsync(name));
            Assert.Null(await fixture.Store.FindAsync(fixture.Blob(name), default));
            Assert.Null(fixture.Store.TryGetLocalPath(fixture.Blob(name)));
            Assert.False(await fixture.Store.DeleteAsync(fixture.Blob(name), default));
        }

        Assert.Equal(1, (await fixture.Store.DigestAsync(fixture.Blob("out"), default)).Files);
    }

    [Fact]
    public void A_folder_that_is_deleted_while_it_is_open_has_no_entries()
    {
        fixture.Files.EnsureFolder("going/away");
        using var folder = fixture.Files.OpenFolder("going/away");
        fixture.Files.DeleteTree("going");
        Assert.Empty(Zaffre.Storage.Files.SafeFiles.Entries(folder!));
    }

    [Fact]
    public async Task A_log_of_the_server_is_written_whole_or_at_its_end_and_never_through_a_link()
    {
        var log = fixture.Blob("new/folder/log.txt");
        Assert.Null(fixture.Store.WriteLog(log, "a longer first line\n"u8, append: false));
        Assert.Null(fixture.Store.WriteLog(log, "short\n"u8, append: false));
        Assert.Null(fixture.Store.WriteLog(log, "more\n"u8, append: true));
        Assert.Equal("short\nmore\n", await fixture.ReadAsync("new/folder/log.txt"));

        // What is durable below a folder that was not takes it along.
        await fixture.PutAsync("new/folder/deeper/durable", "yes");
        Assert.Equal("yes", await fixture.ReadAsync("new/folder/deeper/durable"));

        File.CreateSymbolicLink(Path.Combine(fixture.Folder, "out/link"), Path.Combine(outside, "secret"));
        Assert.NotNull(fixture.Store.WriteLog(fixture.Blob("out/link"), "mine"u8, append: true));
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(outside, "secret")));
        Assert.NotNull(fixture.Store.WriteLog(fixture.Blob("out"), "a folder"u8, append: false));
        Assert.Equal("ContainerNotFound", fixture.Store.WriteLog(log with { Container = "absent" }, "x"u8, append: false)?.Code);
    }

    [Fact]
    public async Task Writing_over_a_link_replaces_the_link_and_never_its_target()
    {
        var link = Path.Combine(fixture.Folder, "out/link");
        File.CreateSymbolicLink(link, Path.Combine(outside, "secret"));
        await fixture.PutAsync("out/link", "mine", new BlobWrite { OnlyIfAbsent = true });
        Assert.Null(File.ResolveLinkTarget(link, returnFinalTarget: false));
        Assert.Equal("mine", await fixture.ReadAsync("out/link"));
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(outside, "secret")));
    }

    [Fact]
    public async Task Writing_below_a_link_is_refused()
    {
        Directory.CreateSymbolicLink(Path.Combine(fixture.Folder, "out/folder"), outside);
        using var stream = new MemoryStream();
        Assert.Equal("ResourceTypeMismatch", (await fixture.Store.PutAsync(fixture.Blob("out/folder/new"), stream, new(), default)).Problem?.Code);
        Assert.Equal("ResourceTypeMismatch", fixture.Store.EnsureFolder(fixture.Blob("out/folder/sub")).Problem?.Code);
        Assert.Equal(["secret"], Directory.EnumerateFileSystemEntries(outside).Select(Path.GetFileName));
        Assert.Empty(fixture.Temps());
    }

    [Fact]
    public async Task Deleting_a_folder_with_a_link_in_it_leaves_the_target()
    {
        Directory.CreateSymbolicLink(Path.Combine(fixture.Folder, "out/folder"), outside);
        await fixture.Store.DeleteFolderAsync(fixture.Blob("out"), default);
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(outside, "secret")));
        Assert.Empty(await fixture.NamesAsync());
    }

    [Fact]
    public async Task A_folder_that_a_job_keeps_swapping_for_a_link_never_leads_outside()
    {
        await fixture.PutAsync("out/d/secret", "inside");
        var folder = Path.Combine(fixture.Folder, "out/d");
        var link = folder + ".link";
        Directory.CreateSymbolicLink(link, outside);
        using var stop = new CancellationTokenSource();
        var swapper = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Assert.Equal(0, Exchange(CurrentFolder, folder, CurrentFolder, link, ExchangeFlag));
            }
        });

        var seen = new HashSet<string?>(StringComparer.Ordinal);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 200 || (watch.Elapsed < TimeSpan.FromSeconds(5) && seen.Count < 2); i++)
        {
            seen.Add(await fixture.ReadAsync("out/d/secret"));
            using var stream = new MemoryStream();
            _ = await fixture.Store.PutAsync(fixture.Blob("out/d/written"), stream, new(), default);
        }

        await stop.CancelAsync();
        await swapper;
        Assert.DoesNotContain("secret", seen);
        Assert.Contains("inside", seen);
        Assert.Equal(["secret"], Directory.EnumerateFileSystemEntries(outside).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Names_of_a_job_that_look_like_the_mapping_are_not_blobs()
    {
        var folder = Path.Combine(fixture.Folder, "out");
        await File.WriteAllTextAsync(Path.Combine(folder, "~zf.qreal"), "x");
        await File.WriteAllTextAsync(Path.Combine(folder, "~zf.freal"), "x");
        await File.WriteAllTextAsync(Path.Combine(folder, "~zf.zzz"), "x");
        Directory.CreateDirectory(Path.Combine(folder, "~zf.+real"));
        await File.WriteAllTextAsync(Path.Combine(folder, "~zf.+real/x"), "x");
        Assert.Equal(["out/real"], await fixture.NamesAsync());
        Assert.Equal("real", await fixture.ReadAsync("out/real"));
    }

    private const int CurrentFolder = -100;
    private const uint ExchangeFlag = 2;

    [DllImport("libc", EntryPoint = "renameat2", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Exchange(int fromFolder, string from, int toFolder, string to, uint flags);

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 || program == "mknod", program);
    }
}
