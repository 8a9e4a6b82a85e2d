using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Zaffre.Kernel;

namespace Zaffre.Database;

/// <summary>One line of the seal file: the events up to <paramref name="Last"/> chained onto the seal before, and signed.</summary>
internal sealed record Seal(long First, long Last, DateTimeOffset Time, string Chain, string Signature);

/// <summary>
/// The append-only file <c>events/seals.jsonl</c>, outside the database. Each seal's chain is
/// SHA-256(previous chain, then one line per event over its digest), signed with the server's key (ECDSA P-256).
/// A payload can be erased while its digest keeps the chain whole.
/// </summary>
internal sealed class SealFile : IDisposable
{
    private readonly string path;
    private readonly ECDsa key;

    private SealFile(string path, ECDsa key, Seal? last) => (this.path, this.key, Last) = (path, key, last);

    public Seal? Last { get; private set; }

    public static SealFile Open(DataDirectory data)
    {
        Directory.CreateDirectory(data.Path("events"));
        var path = data.Path("events", "seals.jsonl");
        CutUnfinishedLine(path);
        var last = File.Exists(path) ? File.ReadLines(path).LastOrDefault() : null;
        return new SealFile(path, LoadKey(data), last is null ? null : JsonSerializer.Deserialize<Seal>(last, ZaffreJson.Options));
    }

    public void Append(IReadOnlyList<StoredEvent> events, DateTimeOffset now)
    {
        var chain = ChainOver(Last?.Chain, events);
        var signature = Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(chain), HashAlgorithmName.SHA256));
        var seal = new Seal(events[0].Sequence, events[^1].Sequence, now, chain, signature);
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(seal, ZaffreJson.Options) + "\n"));
        file.Flush(flushToDisk: true);
        Last = seal;
    }

    /// <summary>The first seal that does not match the events of the log or its signature, or null when all hold.</summary>
    public async Task<Seal?> FindBrokenAsync(IEventLog log, CancellationToken ct)
    {
        string? chain = null;
        var after = 0L;
        foreach (var line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            var seal = JsonSerializer.Deserialize<Seal>(line, ZaffreJson.Options)!;
            var events = (await log.ReadAsync(after, (int)(seal.Last - after), ct)).TakeWhile(e => e.Sequence <= seal.Last).ToList();
            if (events.Count == 0 || ChainOver(chain, events) != seal.Chain
                || !key.VerifyData(Encoding.UTF8.GetBytes(seal.Chain), Convert.FromBase64String(seal.Signature), HashAlgorithmName.SHA256))
            {
                return seal;
            }

            (chain, after) = (seal.Chain, seal.Last);
        }

        return null;
    }

    public void Dispose() => key.Dispose();

    private static string ChainOver(string? previous, IEnumerable<StoredEvent> events)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes((previous ?? "") + "\n"));
        foreach (var e in events)
        {
            var line = JsonSerializer.Serialize(new object[] { e.Sequence, e.Time.ToUnixTimeMilliseconds(), e.Actor, e.Action, e.Subject, e.Digest }, ZaffreJson.Options);
            hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // A crash in the middle of an append leaves a line without its end; its events are sealed again.
    private static void CutUnfinishedLine(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var end = file.Length;
        while (end > 0)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n')
            {
                break;
            }

            end--;
        }

        file.SetLength(end);
    }

    private static ECDsa LoadKey(DataDirectory data)
    {
        Directory.CreateDirectory(data.Path("keys"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var path = data.Path("keys", "seal.pem");
        if (!File.Exists(path))
        {
            using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var draft = path + ".new";
            using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                file.Write(Encoding.UTF8.GetBytes(made.ExportPkcs8PrivateKeyPem()));
                file.Flush(flushToDisk: true);
            }

            File.Move(draft, path);
        }

        var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(path));
        return key;
    }
}
