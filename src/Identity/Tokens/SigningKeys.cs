using System.Text.Json;
using Zaffre.Kernel;

namespace Zaffre.Identity.Tokens;

/// <summary>
/// The authority's keys in <c>keys/signing.json</c> (0600): the newest signs, and the one before it still verifies, so that
/// tokens live through a roll. A key older than <see cref="MaximumAge"/> is rolled when the server starts.
/// </summary>
internal sealed class SigningKeys : IDisposable
{
    public static readonly TimeSpan MaximumAge = TimeSpan.FromDays(90);

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
    public IReadOnlyList<SigningKey> Live => Volatile.Read(ref keys);

    public SigningKey Current => Live[0];

    public SigningKey? Find(string id) => Live.FirstOrDefault(key => string.Equals(key.Id, id, StringComparison.Ordinal));

    /// <summary>Makes a new signing key; the present one goes on verifying, an older one does not.</summary>
    public void Roll(DateTimeOffset now)
    {
        SigningKey[] next = [SigningKey.Create(now), .. Live.Take(1)];
        var stored = next.Select(key => new StoredKey(key.Id, key.Created, key.Export())).ToArray();
        PrivateFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(stored, IdentityJson.Default.StoredKeyArray));
        Volatile.Write(ref keys, next);
    }

    public void Dispose()
    {
        foreach (var key in Live)
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
