using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Storage;

/// <summary>A storage account. <paramref name="Scope"/> is the resource id at which bearer tokens are authorized.</summary>
public sealed record StorageAccount(string Name, ArmId Scope)
{
    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Storage accounts and their containers. Thread safe.</summary>
public interface IStorageAccounts
{
    /// <summary>
    /// Makes the account when it does not exist, with two random 64-byte keys sealed at rest. The name has 3 to 24 lower-case letters
    /// and digits. <paramref name="scope"/> is the account's resource id
    /// (<c>/subscriptions/../resourceGroups/../providers/Microsoft.Storage/storageAccounts/{account}</c>); an account that exists keeps its own.
    /// </summary>
    Task<Outcome<StorageAccount>> EnsureAsync(string account, ArmId scope, CancellationToken ct);

    /// <summary>The account, or null.</summary>
    Task<StorageAccount?> FindAsync(string account, CancellationToken ct);

    /// <summary>Every account whose resource id begins with <paramref name="prefix"/> (compared without case), by name.</summary>
    Task<IReadOnlyList<StorageAccount>> ListAsync(string prefix, CancellationToken ct);

    /// <summary>Both keys in base64, the first first; empty when there is no such account.</summary>
    Task<IReadOnlyList<string>> GetKeysAsync(string account, CancellationToken ct);

    /// <summary>
    /// Takes the account with its keys away in this unit: nothing in it is reachable once the unit is committed. Its files stay until
    /// <see cref="EraseAsync"/>. False when there was none.
    /// </summary>
    bool Remove(WriteScope scope, string account);

    /// <summary>Deletes every container of an account that was removed.</summary>
    Task EraseAsync(string account);

    /// <summary>The account's first key in base64, as <c>listSecrets</c> and SharedKey use it; null when there is no such account.</summary>
    Task<string?> GetKeyAsync(string account, CancellationToken ct);

    /// <summary>Makes the container when it does not exist. Fails with <c>InvalidResourceName</c>, <c>ResourceNotFound</c> (no account) or <c>InsufficientStorage</c>.</summary>
    Task<Outcome<bool>> EnsureContainerAsync(string account, string container, CancellationToken ct);

    /// <summary>Deletes the container with everything in it; false when there was none.</summary>
    Task<bool> DeleteContainerAsync(string account, string container, CancellationToken ct);
}
