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
        return (await OpenAsync(account, ct))!.Account;
    }

    public async Task<StorageAccount?> FindAsync(string account, CancellationToken ct) => (await OpenAsync(account, ct))?.Account;

    public async Task<string?> GetKeyAsync(string account, CancellationToken ct) =>
        await OpenAsync(account, ct) is { } open ? Convert.ToBase64String(open.Keys[0]) : null;

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
        if (opened.TryGetValue(account, out var known))
        {
            return known;
        }

        var row = await database.ReadAsync(connection => AccountRows.Find(connection, account), ct);
        return row is null ? null : opened.GetOrAdd(account, new OpenAccount(
            new StorageAccount(row.Name, new ArmId(row.Scope)),
            [Open(row.Key1, account), Open(row.Key2, account)]));
    }

    private static string Purpose(string account) => $"storage-account/{account}";

    private string NewKey(string account) => secrets.Seal(Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeySize)), Purpose(account));

    private byte[] Open(string sealedKey, string account) => Convert.FromBase64String(secrets.Open(sealedKey, Purpose(account)));
}
