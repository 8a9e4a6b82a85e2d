using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Storage.Access;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Files;

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
        services.AddSingleton<StorageAccounts>();
        services.AddSingleton<IStorageAccounts>(provider => provider.GetRequiredService<StorageAccounts>());
        services.AddSingleton<IBlobSigner, BlobSigner>();
        return services;
    }

    /// <summary>Maps the blob protocol on the blob hosts.</summary>
    public static IEndpointRouteBuilder MapStorage(this IEndpointRouteBuilder endpoints) => endpoints;
}
