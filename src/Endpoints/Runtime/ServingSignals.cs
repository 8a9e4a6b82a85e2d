namespace Zaffre.Endpoints.Runtime;

/// <summary>
/// Tells the background work that something was committed. A thing of its own, because what deletes resources must be able to tell
/// without knowing those who read resources.
/// </summary>
internal sealed class ServingSignals
{
    /// <summary>A deployment's row has changed; the argument is its key.</summary>
    public event Action<string>? DeploymentChanged;

    /// <summary>What the routing table is made of has changed.</summary>
    public event Action? TableChanged;

    public void Deployment(string rowKey) => DeploymentChanged?.Invoke(rowKey);

    public void Table() => TableChanged?.Invoke();
}
