using Zaffre.Web;

namespace Zaffre.Identity;

/// <summary>What a process that must go on without the server needs to check the authority's tokens, and whom it may let in. Thread safe.</summary>
public interface ITokenAccess
{
    /// <summary>What is in every access token as <c>iss</c>.</summary>
    string Issuer { get; }

    /// <summary>The resources (<c>aud</c>) that stand for machine learning, without a slash at the end.</summary>
    IReadOnlyCollection<string> Audiences { get; }

    /// <summary>The public keys that verify tokens now, by key id: SubjectPublicKeyInfo, base64.</summary>
    IReadOnlyDictionary<string, string> PublicKeys { get; }

    /// <summary>The object ids of all principals that hold <paramref name="action"/> at <paramref name="scope"/>. Jobs are not among them.</summary>
    Task<IReadOnlyList<string>> HoldersAsync(string action, ArmId scope, CancellationToken ct);

    /// <summary>Calls <paramref name="listener"/> after each commit that changed principals or roles. It must not block.</summary>
    void OnChanged(Action listener);
}
