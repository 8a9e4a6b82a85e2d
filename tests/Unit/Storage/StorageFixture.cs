using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Files;
using Zaffre.Web;

namespace Zaffre.Tests.Unit.Storage;

/// <summary>The store over a real database and real files in a folder of its own.</summary>
internal sealed class StorageFixture : IDisposable
{
    public const string Account = "acct1";
    public const string Container = "cont";
    private readonly bool ownsRoot;
    private readonly ServiceProvider services;

    public StorageFixture(string? root = null)
    {
        ownsRoot = root is null;
        Root = root ?? Directory.CreateTempSubdirectory("zaffre-storage-").FullName;
        services = new ServiceCollection()
            .AddSingleton(new DataDirectory(Root))
            .AddSingleton(TimeProvider.System)
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.None))
            .AddDatabase()
            .AddResources()
            .AddStorage()
            .BuildServiceProvider();
    }

    public string Root { get; }

    /// <summary>The container's folder.</summary>
    public string Folder => Path.Combine(Root, "blobs", Account, Container);

    public IBlobStore Store => Get<IBlobStore>();

    public BlobAddress Blob(string name) => new(Account, Container, name);

    public T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    public async Task<StorageFixture> WithContainerAsync()
    {
        var accounts = Get<IStorageAccounts>();
        _ = (await accounts.EnsureAsync(Account, new ArmId("/subscriptions/s"), default)).Value;
        Assert.True((await accounts.EnsureContainerAsync(Account, Container, default)).Value);
        return this;
    }

    public async Task<BlobInfo> PutAsync(string name, string content, BlobWrite? options = null)
    {
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content));
        return (await Store.PutAsync(Blob(name), stream, options ?? new(), default)).Value;
    }

    public async Task<string?> ReadAsync(string name)
    {
        await using var stream = await Store.OpenReadAsync(Blob(name), default);
        if (stream is null)
        {
            return null;
        }

        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    public async Task<List<string>> NamesAsync(string prefix = "", int top = 5000)
    {
        var names = new List<string>();
        string? next = null;
        do
        {
            var page = await Store.ListAsync(Blob(prefix), top, next, default);
            Assert.True(page.Items.Count <= top);
            names.AddRange(page.Items.Select(i => i.Name));
            next = page.Next;
        }
        while (next is not null);
        return names;
    }

    /// <summary>What is half-written at this moment.</summary>
    public IEnumerable<string> Temps() => Directory.EnumerateFileSystemEntries(Path.Combine(Root, "blobs", ".tmp"));

    internal BlobLister Lister => Get<BlobLister>();

    internal SafeFiles Files => Get<SafeFiles>();

    public void Dispose()
    {
        services.Dispose();
        if (ownsRoot)
        {
            Directory.Delete(Root, recursive: true);
        }
    }
}
