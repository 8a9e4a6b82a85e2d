using System.Security.Cryptography;

namespace Zaffre.Recording.Capture;

/// <summary>What passed of a body: its length and digest, and its bytes as long as they are few.</summary>
internal sealed class CapturedBody(int limit) : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private MemoryStream? kept = new();

    public long Length { get; private set; }

    /// <summary>What this body takes in memory.</summary>
    public long Held => kept?.Length ?? 0;

    /// <summary>The whole body, or null when it was longer than the limit.</summary>
    public byte[]? Bytes => kept?.ToArray();

    public string Sha256 => Convert.ToHexStringLower(hash.GetCurrentHash());

    public void Append(ReadOnlySpan<byte> bytes)
    {
        hash.AppendData(bytes);
        Length += bytes.Length;
        if (Length > limit)
        {
            kept = null;
        }

        kept?.Write(bytes);
    }

    public void Dispose() => hash.Dispose();
}
