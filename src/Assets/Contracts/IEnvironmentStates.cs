using System.Text.Json.Nodes;

namespace Zaffre.Assets;

/// <summary>
/// How far an environment is made real: <c>Succeeded</c>, <c>Building</c>, <c>Failed</c> (then <paramref name="Failure"/> says why), <c>NotBuilt</c>, or <c>NotNeeded</c> when this machine
/// has what is declared. <paramref name="Key"/> names what is built; several environments that declare the same share it.
/// </summary>
public sealed record EnvironmentState(string State, string? Key, string? Failure);

/// <summary>Tells environments' states; the module that makes them real registers itself.</summary>
public interface IEnvironmentStates
{
    /// <summary>The state of an environment version by its <c>properties</c>; null when there is nothing that could be built.</summary>
    ValueTask<EnvironmentState?> FindAsync(JsonObject properties, CancellationToken ct);
}
