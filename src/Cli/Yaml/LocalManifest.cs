using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Zaffre.Cli;

/// <summary>What a plan tells the server of local content: names, sizes and digests, and of single files the digests of their lines; never what is in them.</summary>
internal sealed class LocalManifest
{
    private const int MostListed = 20_000;
    private const int LargestText = 512 * 1024;
    private const int Digits = 16;

    private readonly LocalContent content;
    private readonly string hash;
    private readonly IReadOnlyList<(string Name, string Sha256, long Size)> files;

    private LocalManifest(LocalContent content, string hash, IReadOnlyList<(string Name, string Sha256, long Size)> files) =>
        (this.content, this.hash, this.files) = (content, hash, files);

    /// <summary>Reads every file once.</summary>
    public static async Task<LocalManifest> ReadAsync(LocalContent content, CancellationToken ct)
    {
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        whole.AppendData(content.HashHead());
        var read = new List<(string, string, long)>(content.Files.Count);
        var buffer = new byte[128 * 1024];
        foreach (var file in content.Files)
        {
            using var one = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using var stream = File.OpenRead(file.Path);
            whole.AppendData(Encoding.UTF8.GetBytes($"{file.Name}\0{stream.Length}\0"));
            long size = 0;
            for (int count; (count = await stream.ReadAsync(buffer, ct)) > 0; size += count)
            {
                whole.AppendData(buffer, 0, count);
                one.AppendData(buffer, 0, count);
            }

            read.Add((file.Name, Convert.ToHexStringLower(one.GetHashAndReset()), size));
        }

        return new LocalManifest(content, Convert.ToHexStringLower(whole.GetHashAndReset()), read);
    }

    /// <summary>As <c>contents</c> of a plan holds it, with the lines of the named files.</summary>
    public JsonObject ToJson(IReadOnlyCollection<string> texts)
    {
        var told = new JsonObject { ["name"] = content.Name, ["hash"] = hash, ["folder"] = content.IsFolder };
        if (files.Count <= MostListed)
        {
            told["files"] = new JsonArray([.. files.Select(file => new JsonObject { ["name"] = file.Name, ["sha256"] = file.Sha256, ["size"] = file.Size })]);
        }
        else
        {
            (told["digest"], told["count"], told["bytes"], told["first"]) = (Digest(), files.Count, files.Sum(file => file.Size), files[0].Name);
        }

        told["lines"] = texts.Count == 0 ? null : new JsonObject(texts.Select(name => KeyValuePair.Create(name, (JsonNode?)Lines(name))));
        return told;
    }

    /// <summary>SHA-256 over a line for each file, in the byte order of their names.</summary>
    private string Digest()
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, line) in files.Select(file => (Encoding.UTF8.GetBytes(file.Name), FormattableString.Invariant($"{file.Sha256} {file.Size} {file.Name}\n"))).Order(ByBytes.Instance))
        {
            digest.AppendData(Encoding.UTF8.GetBytes(line));
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }

    /// <summary>The lines of a text by digest; null when it is none, or large.</summary>
    private JsonArray? Lines(string name)
    {
        var path = content.IsFolder ? content.Files.FirstOrDefault(file => file.Name == name)?.Path : content.Files[0].Path;
        if (path is null || new FileInfo(path) is not { Exists: true, Length: <= LargestText })
        {
            return null;
        }

        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)).TrimStart('\uFEFF');
            var lines = text.ReplaceLineEndings("\n").Split('\n');
            return text.Contains('\0', StringComparison.Ordinal)
                ? null
                : new JsonArray([.. (lines is [.., ""] ? lines[..^1] : lines).Select(line => JsonValue.Create(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(line)))[..Digits]))]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private sealed class ByBytes : IComparer<(byte[] Name, string Line)>
    {
        public static ByBytes Instance { get; } = new();

        public int Compare((byte[] Name, string Line) x, (byte[] Name, string Line) y) => x.Name.AsSpan().SequenceCompareTo(y.Name);
    }
}
