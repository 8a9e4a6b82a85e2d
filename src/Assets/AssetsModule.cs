using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Assets.Data;
using Zaffre.Assets.Uploads;
using Zaffre.Assets.Yaml;
using Zaffre.Database;
using Zaffre.Resources;
using Zaffre.Storage;

namespace Zaffre.Assets;

/// <summary>Versioned assets, URI resolution and <c>yaml:resolve</c>.</summary>
public static class AssetsModule
{
    /// <summary>Registers the module; the routes of the asset types come with the Resources module.</summary>
    public static IServiceCollection AddAssets(this IServiceCollection services)
    {
        services.AddMigrations<AssetStore>();
        services.AddSingleton<CodeHashes>().AddSingleton<IScopedDeletion>(p => p.GetRequiredService<CodeHashes>());
        services.AddSingleton<UploadContainers>();
        services.AddSingleton<AssetContainers>().AddSingleton<AssetVersions>().AddSingleton<CuratedEnvironments>();
        services.AddSingleton<IAssets, AssetStore>();
        services.AddSingleton<IUriResolver, UriResolver>();
        foreach (var type in Enum.GetValues<AssetType>())
        {
            services.AddSingleton<ArmResource>(p => new AssetContainerResource(type, p.GetRequiredService<AssetContainers>(), p.GetRequiredService<IResources>()));
            services.AddSingleton<ArmResource>(p => type == AssetType.Code
                ? new CodeVersionResource(p.GetRequiredService<AssetContainers>(), p.GetRequiredService<IUriResolver>(), p.GetRequiredService<CuratedEnvironments>(), p.GetRequiredService<CodeHashes>(), p.GetRequiredService<IBlobSigner>())
                : new AssetVersionResource(type, p.GetRequiredService<AssetContainers>(), p.GetRequiredService<IUriResolver>(), p.GetRequiredService<CuratedEnvironments>(), p.GetService<IEnvironmentStates>));
        }

        services.AddSingleton<YamlKinds>().AddSingleton<IYamlReader, YamlReader>();
        services.AddSingleton<IYamlKind, DataYaml>().AddSingleton<IYamlKind, ModelYaml>().AddSingleton<IYamlKind, EnvironmentYaml>();
        return services;
    }

    /// <summary>Maps the routes that are not generic.</summary>
    public static IEndpointRouteBuilder MapAssets(this IEndpointRouteBuilder endpoints)
    {
        ResolveAssetIds.Map(endpoints);
        ResolveYaml.Map(endpoints);
        StartPendingUpload.Map(endpoints);
        return endpoints;
    }
}
