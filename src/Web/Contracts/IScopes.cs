namespace Zaffre.Web;

/// <summary>Tells whether a scope that a path names exists. Implemented by Resources.</summary>
public interface IScopes
{
    ValueTask<bool> ExistsAsync(ArmId scope, CancellationToken ct);
}
