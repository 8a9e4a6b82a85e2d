using System.Diagnostics;
using System.Net;

namespace Zaffre.Tests.Http.Storage;

/// <summary>A store on a real file system of 4 MiB. Mounting one takes root, as the test machines have it.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private static readonly string Megabyte = new('x', 1024 * 1024);
    private static readonly string TooMuch = new('y', 6 * 1024 * 1024);
    private readonly ZaffreHost host = new();
    private BlobClient blobs = null!;

    private string Folder => Path.Combine(host.Root, "blobs");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Folder);
        Run("mount", "-t", "tmpfs", "-o", "size=4m", "zaffre-test", Folder);
        await host.InitializeAsync();
        blobs = await BlobClient.CreateAsync(host, "fulldisk");
        (await blobs.PutAsync("keep", Megabyte, ("x-ms-meta-k", "v"))).Is(HttpStatusCode.Created);
    }

    public async Task DisposeAsync()
    {
        Run("umount", "-l", Folder);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_put_that_does_not_fit_fails_cleanly_and_leaves_the_store_as_it_was()
    {
        foreach (var name in (string[])["keep", "new"])
        {
            var reply = (await blobs.PutAsync(name, TooMuch)).Fails(413, "InsufficientStorage");
            Assert.Contains("full", reply.Xml.Element("Message")!.Value, StringComparison.Ordinal);
        }

        await UntouchedAsync("keep");
    }

    [Fact]
    public async Task An_append_that_does_not_fit_adds_nothing()
    {
        await blobs.SendAsync("PUT", "/cont/log", "", ("x-ms-blob-type", "AppendBlob"));
        (await blobs.SendAsync("PUT", "/cont/log?comp=appendblock", "line\n")).Is(HttpStatusCode.Created);

        // Fits aside, and fits no more beside its copy.
        (await blobs.SendAsync("PUT", "/cont/log?comp=appendblock", Megabyte + Megabyte)).Fails(413, "InsufficientStorage");
        Assert.Equal("line\n", (await blobs.GetAsync("log")).Is(HttpStatusCode.OK).Text);
        await UntouchedAsync("keep", "log");
    }

    [Fact]
    public async Task A_block_list_that_does_not_fit_keeps_its_blocks()
    {
        (await blobs.SendAsync("PUT", "/cont/b?comp=block&blockid=MQ%3D%3D", Megabyte)).Is(HttpStatusCode.Created);
        (await blobs.SendAsync("PUT", "/cont/b?comp=block&blockid=Mg%3D%3D", Megabyte)).Is(HttpStatusCode.Created);
        (await blobs.SendAsync("PUT", "/cont/b?comp=block&blockid=Mw%3D%3D", TooMuch)).Fails(413, "InsufficientStorage");
        const string list = "<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>";
        (await blobs.SendAsync("PUT", "/cont/b?comp=blocklist", list)).Fails(413, "InsufficientStorage");
        (await blobs.GetAsync("b")).Fails(404, "BlobNotFound");
        await UntouchedAsync("keep");

        (await blobs.SendAsync("DELETE", "/cont/keep", null)).Is(HttpStatusCode.Accepted);
        (await blobs.SendAsync("PUT", "/cont/b?comp=blocklist", list)).Is(HttpStatusCode.Created);
        Assert.Equal(Megabyte + Megabyte, (await blobs.GetAsync("b")).Text);
    }

    private async Task UntouchedAsync(params string[] names)
    {
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Folder, ".tmp")));
        Assert.Equal(names, (await blobs.ListAsync()).Is(HttpStatusCode.OK).Xml.Descendants("Name").Select(n => n.Value));
        var keep = (await blobs.GetAsync("keep")).Is(HttpStatusCode.OK);
        Assert.True(keep.Text == Megabyte && keep["x-ms-meta-k"] == "v");
        (await blobs.PutAsync("zz-small", "fits")).Is(HttpStatusCode.Created);
        (await blobs.SendAsync("DELETE", "/cont/zz-small", null)).Is(HttpStatusCode.Accepted);
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false })!;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} failed: this test mounts a small file system and needs root.");
    }
}
