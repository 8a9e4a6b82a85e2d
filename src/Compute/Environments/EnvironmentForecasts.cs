using Zaffre.Compute.Containers;
using Zaffre.Compute.Operator;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <inheritdoc cref="IEnvironmentForecasts"/>
internal sealed class EnvironmentForecasts(EnvironmentResolver resolver, VirtualEnvironments built, EnvironmentCache cache, ComputeFile file) : IEnvironmentForecasts
{
    public async Task<EnvironmentForecast> ForeseeAsync(EnvironmentRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        var document = request.Document;
        if (!file.Read().TryGet(out var configuration, out var problem) || !DeclaredPackages.Read(document?.Text("condaFile")).TryGet(out var declared, out problem))
        {
            return Failed(problem.Message);
        }

        if (ContainerEnvironments.Wanted(request, configuration.Containers))
        {
            var source = document?.Text("image") is { Length: > 0 } image ? $"of the image {image}" : "built from its build context";
            return new EnvironmentForecast("container", $"a container {source}", null, []);
        }

        if (document is not null && resolver.WhyNever(document, request.Compute) is { } never)
        {
            return Failed($"it {never}");
        }

        if (declared.Packages.Count == 0)
        {
            return Ready(HostInterpreter.Exists ? "no packages are declared" : "no packages are declared, and this host has no Python");
        }

        return HostInterpreter.Exists ? await WithPackagesAsync(declared, ct) : Failed("this host has no Python interpreter (install python3)") with { Missing = [.. declared.Packages.Select(package => package.Text)] };
    }

    private async Task<EnvironmentForecast> WithPackagesAsync(DeclaredPackages declared, CancellationToken ct)
    {
        var (key, foundation, missing, _) = await resolver.CompareAsync(declared, ct);
        if (built.Find(key, foundation) is { } environment)
        {
            return new EnvironmentForecast("built", $"in the cache, with {environment.Packages.Count} packages", key, []);
        }

        if (missing.Count == 0)
        {
            return Ready("this host has every declared package");
        }

        if (declared.Packages.FirstOrDefault(spec => spec.Name == "python" && !spec.IsSatisfiedBy(foundation.Version)) is { } python)
        {
            return Failed($"a virtual environment has the host's Python {foundation.Version}, which is not {python.Text}") with { Missing = missing };
        }

        var packages = $"it lacks {string.Join(", ", missing)}";
        return built.IsBuilding(key) ? new EnvironmentForecast("building", packages, key, missing)
            : cache.Failure(key) is { } failure ? new EnvironmentForecast("failed", $"{packages}; its last build failed: {failure.Why}", key, missing)
            : new EnvironmentForecast("build", packages, key, missing);
    }

    private static EnvironmentForecast Ready(string why) => new("ready", why, null, []);

    private static EnvironmentForecast Failed(string why) => new("failed", why, null, []);
}
