using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>How far an environment is made real on this host (not in containers, which depend on the compute), found out without making it so.</summary>
internal sealed class EnvironmentStates(EnvironmentResolver resolver, VirtualEnvironments built, EnvironmentCache cache) : IEnvironmentStates
{
    public async ValueTask<EnvironmentState?> FindAsync(JsonObject properties, CancellationToken ct)
    {
        if (properties["build"] is not null || !HostInterpreter.Exists || !DeclaredPackages.Read(properties.Text("condaFile")).TryGet(out var declared, out _) || declared.Packages.Count == 0)
        {
            return null;
        }

        var (key, foundation, missing, _) = await resolver.CompareAsync(declared, ct);
        return built.Find(key, foundation) is not null ? new EnvironmentState("Succeeded", key, null)
            : built.IsBuilding(key) ? new EnvironmentState("Building", key, null)
            : missing.Count == 0 ? new EnvironmentState("NotNeeded", null, null)
            : cache.Failure(key) is { } failure ? new EnvironmentState("Failed", key, failure.Why)
            : new EnvironmentState("NotBuilt", key, null);
    }
}
