using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Kernel;

/// <summary>Encrypts small secrets before they are stored. Thread safe.</summary>
public interface ISecretBox
{
    /// <summary>Encrypts <paramref name="secret"/>. <paramref name="purpose"/> says where it is kept (<c>storage-account/x</c>);
    /// a sealed text moved to another place does not open there.</summary>
    string Seal(string secret, string purpose);

    /// <summary>The secret again; throws <see cref="CryptographicException"/> when the text was altered, moved, or sealed with another key.</summary>
    string Open(string sealedSecret, string purpose);
}

/// <summary>AES-256-GCM with the key in <c>keys/secrets.key</c> of the data directory (0600, made at first use).
/// Sealed form: <c>v1.</c> and base64 of nonce (12), tag (16) and ciphertext.</summary>
public sealed class SecretBox : ISecretBox
{
    private const string Version = "v1.";
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private readonly Lazy<byte[]> key;

    /// <summary>A box whose key lies in <paramref name="data"/>.</summary>
    public SecretBox(DataDirectory data)
    {
        ArgumentNullException.ThrowIfNull(data);
        key = new(() => LoadOrCreate(data.Path("keys")));
    }

    /// <inheritdoc/>
    public string Seal(string secret, string purpose)
    {
        var text = Encoding.UTF8.GetBytes(secret);
        var sealedBytes = new byte[NonceSize + TagSize + text.Length];
        var nonce = sealedBytes.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key.Value, TagSize);
        aes.Encrypt(nonce, text, sealedBytes.AsSpan(NonceSize + TagSize), sealedBytes.AsSpan(NonceSize, TagSize), Encoding.UTF8.GetBytes(purpose));
        return Version + Convert.ToBase64String(sealedBytes);
    }

    /// <inheritdoc/>
    public string Open(string sealedSecret, string purpose)
    {
        ArgumentNullException.ThrowIfNull(sealedSecret);
        if (!sealedSecret.StartsWith(Version, StringComparison.Ordinal))
        {
            throw new CryptographicException("This is not a sealed secret.");
        }

        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(sealedSecret[Version.Length..]);
        }
        catch (FormatException error)
        {
            throw new CryptographicException("This is not a sealed secret.", error);
        }

        if (bytes.Length < NonceSize + TagSize)
        {
            throw new CryptographicException("This is not a sealed secret.");
        }

        var text = new byte[bytes.Length - NonceSize - TagSize];
        using var aes = new AesGcm(key.Value, TagSize);
        aes.Decrypt(bytes.AsSpan(0, NonceSize), bytes.AsSpan(NonceSize + TagSize), bytes.AsSpan(NonceSize, TagSize), text, Encoding.UTF8.GetBytes(purpose));
        return Encoding.UTF8.GetString(text);
    }

    private static byte[] LoadOrCreate(string folder)
    {
        var path = Path.Combine(folder, "secrets.key");
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (!File.Exists(path))
        {
            Create(path);
        }

        var loaded = File.ReadAllBytes(path);
        return loaded.Length == 32 ? loaded : throw new CryptographicException($"{path} must hold 32 bytes, it holds {loaded.Length}.");
    }

    // Written aside, synced and linked into place, so that a crash never leaves half a key and a second process never replaces one.
    private static void Create(string path)
    {
        var aside = $"{path}.{Environment.ProcessId}";
        using (var file = new FileStream(aside, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(RandomNumberGenerator.GetBytes(32));
            file.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(aside, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(aside);
        }
    }
}
