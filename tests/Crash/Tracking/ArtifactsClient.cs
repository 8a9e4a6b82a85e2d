using System.Security.Cryptography;

namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Writes, overwrites and deletes a run's files, whole and in parts: a file is one of its versions, whole, and of an upload that was not completed there is nothing to see.</summary>
internal sealed class ArtifactsClient(string name, int seed) : TrackingClient(name, seed)
{
    private const int Parts = 3;
    private readonly SortedDictionary<string, int> files = new(StringComparer.Ordinal);
    private string run = "";
    private int version;
    private Upload? upload;

    private string Root => $"0/{run}/artifacts/";

    protected override async Task SetUpAsync() => run = await Wire.RunAsync("0");

    protected override Change Next()
    {
        if (upload is not null)
        {
            return Continue(upload);
        }

        var path = $"f{Random.Next(3)}/{Random.Next(4)}.bin";
        switch (Random.Next(6))
        {
            case 0:
                return new Change(() => BeginAsync($"big/{Random.Next(3)}.bin"), () => { }, Repeatable: false);
            case 1 when files.Count > 2:
                var gone = Pick([.. files.Keys]);
                return new Change(() => Wire.CallAsync(HttpMethod.Delete, $"{TrackingWire.Artifacts}artifacts/{Root}{gone}", null), () => files.Remove(gone), Repeatable: true);
            default:
                var made = ++version;
                return new Change(() => Wire.PutAsync($"{TrackingWire.Artifacts}artifacts/{Root}{path}", Content(made)), () => files[path] = made, Repeatable: true);
        }
    }

    private async Task BeginAsync(string path)
    {
        var begun = await Wire.PostAsync($"{TrackingWire.Artifacts}mpu/create/{Root}{path}", new { path, num_parts = Parts });
        upload = new Upload(path, begun.Text("upload_id")!, ++version) { Urls = [.. begun.Items("credentials").Select(part => new Uri(part.Text("url")!).PathAndQuery)] };
    }

    // The parts in any order, then the file of them; some uploads are left as they are.
    private Change Continue(Upload of)
    {
        var left = Enumerable.Range(0, Parts).Where(part => of.ETags[part] is null).ToList();
        if (Random.Next(10) == 0)
        {
            upload = null;
            return new Change(() => Wire.PostAsync($"{TrackingWire.Artifacts}mpu/abort/{Root}{of.Path}", new { path = of.Path, upload_id = of.Id }), () => { }, Repeatable: true);
        }

        if (left.Count > 0)
        {
            var part = Pick(left);
            return new Change(async () => of.ETags[part] = await Wire.PutAsync(of.Urls[part], of.Part(part)), () => { }, Repeatable: true);
        }

        var parts = Enumerable.Range(0, Parts).Select(part => new { part_number = part + 1, etag = of.ETags[part], url = of.Urls[part] });
        return new Change(
            () => Wire.PostAsync($"{TrackingWire.Artifacts}mpu/complete/{Root}{of.Path}", new { path = of.Path, upload_id = of.Id, parts }),
            () =>
            {
                files[of.Path] = of.Version;
                upload = null;
            },
            Repeatable: true);
    }

    protected override IReadOnlyCollection<string> Expected() => [.. files.Select(file => Line(file.Key, Content(file.Value)))];

    protected override async Task<IReadOnlyCollection<string>> ReadAsync()
    {
        var lines = new List<string>();
        foreach (var folder in (await Wire.GetAsync("artifacts/list?run_id=" + run)).Items("files"))
        {
            foreach (var path in (await Wire.GetAsync($"artifacts/list?run_id={run}&path={folder.Text("path")}")).Items("files").Select(file => file.Text("path")!))
            {
                lines.Add(Line(path, await Wire.BytesAsync($"{TrackingWire.Artifacts}artifacts/{Root}{path}")));
            }
        }

        return lines;
    }

    private static string Line(string path, byte[] content) => $"{path} {content.Length} {Convert.ToHexString(SHA256.HashData(content))}";

    private static byte[] Content(int version)
    {
        var bytes = new byte[1 + (version * 7919 % 60_000)];
        new Random(version).NextBytes(bytes);
        return bytes;
    }

    private sealed record Upload(string Path, string Id, int Version)
    {
        public required IReadOnlyList<string> Urls { get; init; }

        public string?[] ETags { get; } = new string?[Parts];

        public byte[] Part(int part)
        {
            var whole = Content(Version);
            return whole[(whole.Length * part / Parts)..(whole.Length * (part + 1) / Parts)];
        }
    }
}
