using System.Collections.Concurrent;
using System.Security.Cryptography;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Data;
using Zaffre.Storage.Names;
using Zaffre.Web;

namespace Zaffre.Storage.Access;

/// <summary>An account with its opened keys, in memory only.</summary>
internal sealed record OpenAccount(StorageAccount Account, IReadOnlyList<byte[]> Keys);

/// <inheritdoc cref="IStorageAccounts"/>
internal sealed class StorageAccounts(IDatabase database, ISecretBox secrets, Containers containers) : IStorageAccounts
{
    private const int KeySize = 64;
    private readonly ConcurrentDictionary<string, OpenAccount> opened = new(StringComparer.Ordinal);

    // A reader that saw the row before it went may put its account back into the cache; this says that it is gone.
    private readonly ConcurrentDictionary<string, bool> removed = new(StringComparer.Ordinal);

    public async Task<Outcome<StorageAccount>> EnsureAsync(string account, ArmId scope, CancellationToken ct)
    {
        if (!NameRules.IsAccount(account))
        {
            return new Problem(ProblemKind.Invalid, "InvalidResourceName", $"'{account}' is no storage account name: 3 to 24 lower-case letters and digits.");
        }

        if (await OpenAsync(account, ct) is { } known)
        {
            return known.Account;
        }

        var row = new AccountRow { Name = account, Scope = scope.Value, Key1 = NewKey(account), Key2 = NewKey(account) };
        await database.WriteAsync(unit => AccountRows.Insert(unit, row), ct);
        removed.TryRemove(account, out _);
        return (await OpenAsync(account, ct))!.Account;
    }

    public async Task<StorageAccount?> FindAsync(string account, CancellationToken ct) => (await OpenAsync(account, ct))?.Account;

    public async Task<string?> GetKeyAsync(string account, CancellationToken ct) =>
        await OpenAsync(account, ct) is { } open ? Convert.ToBase64String(open.Keys[0]) : null;

    public async Task<IReadOnlyList<StorageAccount>> ListAsync(string prefix, CancellationToken ct) =>
        [.. (await database.ReadAsync(connection => AccountRows.List(connection, prefix), ct)).Select(AccountOf)];

    public async Task<IReadOnlyList<string>> GetKeysAsync(string account, CancellationToken ct) =>
        await OpenAsync(account, ct) is { } open ? [.. open.Keys.Select(Convert.ToBase64String)] : [];

    public bool Remove(WriteScope scope, string account)
    {
        scope.OnCommitted(() =>
        {
            removed[account] = true;
            opened.TryRemove(account, out _);
        });
        return AccountRows.Delete(scope, account);
    }

    // The row is gone: no caller's cancellation may stop this halfway.
    public async Task EraseAsync(string account)
    {
        foreach (var container in containers.List(account))
        {
            await containers.DeleteAsync(account, container, CancellationToken.None);
        }
    }

    public async Task<Outcome<bool>> EnsureContainerAsync(string account, string container, CancellationToken ct)
    {
        try
        {
            if (await OpenAsync(account, ct) is null)
            {
                return BlobProblems.Of(BlobErrors.NoSuchAccount(account).Error);
            }

            return containers.Exists(account, container) || await containers.CreateAsync(account, container, BlobProperties.NoMetadata, ct);
        }
        catch (Exception error) when (BlobProblems.TryOf(error, out var problem))
        {
            return problem;
        }
    }

    public Task<bool> DeleteContainerAsync(string account, string container, CancellationToken ct) => containers.DeleteAsync(account, container, ct);

    /// <summary>The account with its keys, or null.</summary>
    public async ValueTask<OpenAccount?> OpenAsync(string account, CancellationToken ct)
    {
        if (removed.ContainsKey(account))
        {
            return null;
        }

        if (opened.TryGetValue(account, out var known))
        {
            return known;
        }

        var row = await database.ReadAsync(connection => AccountRows.Find(connection, account), ct);
        return row is null ? null : opened.GetOrAdd(account, new OpenAccount(AccountOf(row), [Open(row.Key1, account), Open(row.Key2, account)]));
    }

    private static StorageAccount AccountOf(AccountRow row) => new(row.Name, new ArmId(row.Scope)) { CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.Created) };

    private static string Purpose(string account) => $"storage-account/{account}";

    private string NewKey(string account) => secrets.Seal(Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeySize)), Purpose(account));

    private byte[] Open(string sealedKey, string account) => Convert.FromBase64String(secrets.Open(sealedKey, Purpose(account)));
}
