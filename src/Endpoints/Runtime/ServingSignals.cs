namespace Zaffre.Endpoints.Runtime;

/// <summary>
/// Tells the background work that something was committed. A thing of its own, because what deletes resources must be able to tell
/// without knowing those who read resources. Listeners register once, when they start.
/// </summary>
internal sealed class ServingSignals
{
    private Action<string> deployment = _ => { };
    private Action table = () => { };

    /// <summary>A deployment's row has changed.</summary>
    public void Deployment(string rowKey) => deployment(rowKey);

    /// <summary>What the routing table is made of has changed.</summary>
    public void Table() => table();

    public void OnDeployment(Action<string> listener) => deployment = listener;

    public void OnTable(Action listener) => table = listener;
}
