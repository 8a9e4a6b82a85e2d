using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Zaffre.Kernel;

namespace Zaffre.Storage;

/// <summary>Blobs as plain files, and the Azure Blob protocol over them.</summary>
public static class StorageModule
{
    /// <summary>Registers the store, accounts, signer and the secret box.</summary>
    public static IServiceCollection AddStorage(this IServiceCollection services)
    {
        services.TryAddSingleton<ISecretBox, SecretBox>();
        return services;
    }

    /// <summary>Maps the blob protocol on the blob hosts.</summary>
    public static IEndpointRouteBuilder MapStorage(this IEndpointRouteBuilder endpoints) => endpoints;
}
