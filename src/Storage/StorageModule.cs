using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Storage.Access;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Files;
using Zaffre.Storage.Protocol;

namespace Zaffre.Storage;

/// <summary>Blobs as plain files, and the Azure Blob protocol over them.</summary>
public static class StorageModule
{
    /// <summary>Registers the store, accounts, signer and the secret box.</summary>
    public static IServiceCollection AddStorage(this IServiceCollection services)
    {
        services.AddMigrations<BlobStore>();
        services.TryAddSingleton<ISecretBox, SecretBox>();
        services.AddSingleton(provider => new SafeFiles(provider.GetRequiredService<DataDirectory>().Path("blobs")));
        services.AddSingleton<DiskSync>().AddSingleton<KeyedLock>().AddSingleton<BlockStage>();
        services.AddSingleton<BlobFiles>().AddSingleton<BlobWriter>().AddSingleton<BlobLister>().AddSingleton<Containers>();
        services.AddSingleton<IBlobStore, BlobStore>();
        services.AddSingleton(provider => new DigestFiles(provider.GetRequiredService<DataDirectory>().Path("digests")));
        services.AddSingleton<IContentDigests, ContentDigests>();
        services.AddSingleton<StorageAccounts>();
        services.AddSingleton<IStorageAccounts>(provider => provider.GetRequiredService<StorageAccounts>());
        services.AddSingleton<IBlobSigner, BlobSigner>();
        services.AddSingleton<BlobAccess>().AddSingleton<BlobOperations>();
        services.AddSingleton<ReadBlob>().AddSingleton<WriteBlob>().AddSingleton<CopySources>().AddSingleton<CopyBlob>().AddSingleton<Protocol.Blocks>().AddSingleton<ContainerCalls>();
        services.AddSingleton<IStartupFilter, BlobMiddleware>();
        services.AddHostedService<BlockSweeper>();
        return services;
    }
}
