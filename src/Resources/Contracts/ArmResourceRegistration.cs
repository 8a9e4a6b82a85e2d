using Microsoft.Extensions.DependencyInjection;

namespace Zaffre.Resources;

/// <summary>Registration of resource types.</summary>
public static class ArmResourceRegistration
{
    /// <summary>Adds one resource type; its generic routes appear when the Resources module is mapped.</summary>
    public static IServiceCollection AddArmResource<T>(this IServiceCollection services)
        where T : ArmResource => services.AddSingleton<T>().AddSingleton<ArmResource>(provider => provider.GetRequiredService<T>());
}
