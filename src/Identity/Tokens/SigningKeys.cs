using System.Text.Json;
using Zaffre.Kernel;

namespace Zaffre.Identity.Tokens;

/// <summary>
/// The authority's keys in <c>keys/signing.json</c> (0600): the newest signs, and the one before it still verifies, so that
/// tokens live through a roll. Older ones verify the tokens of jobs, which live as long as their job. A key older than <see cref="MaximumAge"/> is rolled when the server starts.
/// </summary>
internal sealed class SigningKeys : IDisposable
{
    public static readonly TimeSpan MaximumAge = TimeSpan.FromDays(90);

    /// <summary>How many keys are kept: three years of them.</summary>
    private const int Kept = 12;

    private const int LiveKeys = 2;

    private readonly string file;
    private SigningKey[] keys;

    public SigningKeys(DataDirectory data, TimeProvider time)
    {
        file = data.Path("keys", "signing.json");
        keys = Load(file);
        if (keys.Length == 0 || time.GetUtcNow() - keys[0].Created > MaximumAge)
        {
            Roll(time.GetUtcNow());
        }
    }

    /// <summary>Newest first; at most two.</summary>
    public IReadOnlyList<SigningKey> Live => [.. Volatile.Read(ref keys).Take(LiveKeys)];

    public SigningKey Current => Volatile.Read(ref keys)[0];

    /// <summary>Any key that is kept; whether it still counts for a token, <see cref="IsLive"/> says.</summary>
    public SigningKey? Find(string id) => Array.Find(Volatile.Read(ref keys), key => string.Equals(key.Id, id, StringComparison.Ordinal));

    /// <summary>True for the keys whose tokens are valid whoever holds them.</summary>
    public bool IsLive(string id) => Array.FindIndex(Volatile.Read(ref keys), key => string.Equals(key.Id, id, StringComparison.Ordinal)) is >= 0 and < LiveKeys;

    /// <summary>Makes a new signing key; the present one goes on verifying, an older one for jobs only.</summary>
    public void Roll(DateTimeOffset now)
    {
        SigningKey[] next = [SigningKey.Create(now), .. keys.Take(Kept - 1)];
        var stored = next.Select(key => new StoredKey(key.Id, key.Created, key.Export())).ToArray();
        PrivateFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(stored, IdentityJson.Default.StoredKeyArray));
        Volatile.Write(ref keys, next);
    }

    public void Dispose()
    {
        foreach (var key in keys)
        {
            key.Dispose();
        }
    }

    private static SigningKey[] Load(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        var stored = JsonSerializer.Deserialize(File.ReadAllBytes(file), IdentityJson.Default.StoredKeyArray) ?? [];
        return [.. stored.Select(key => SigningKey.Import(key.Pkcs8, key.Created)).OrderByDescending(key => key.Created)];
    }
}

/// <summary>A key as kept in the file; the bytes are PKCS#8.</summary>
internal sealed record StoredKey(string Kid, DateTimeOffset Created, byte[] Pkcs8);
