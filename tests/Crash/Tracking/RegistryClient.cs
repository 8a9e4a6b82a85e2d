using System.Globalization;

namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Registers versions of one model, moves stages and aliases, tags and deletes them.</summary>
internal sealed class RegistryClient(string name, int seed, string workspace) : TrackingClient(name, seed)
{
    private static readonly string[] Stages = ["None", "Staging", "Production", "Archived"];
    private readonly SortedDictionary<int, Version> versions = [];
    private readonly SortedDictionary<string, int> aliases = new(StringComparer.Ordinal);
    private string run = "";
    private int next = 1;
    private int counter;

    protected override async Task SetUpAsync()
    {
        run = await Wire.RunAsync("0");
        await Wire.PostAsync("registered-models/create", new { name = Name });
    }

    protected override Change Next()
    {
        var kind = Random.Next(8);
        if (versions.Count == 0 || kind == 0)
        {
            var nonce = $"n{++counter}";
            var body = new { name = Name, source = $"runs:/{run}/model", run_id = run, tags = new[] { new { key = "nonce", value = nonce } } };
            return new Change(() => Wire.PostAsync("model-versions/create", body), () => versions.Add(next++, new Version { Nonce = nonce }), Repeatable: false);
        }

        var (number, version) = Pick([.. versions]);
        var (text, value) = (number.ToString(CultureInfo.InvariantCulture), $"{++counter}");
        switch (kind)
        {
            case 1 when versions.Count > 5:
                return new Change(() => Wire.CallAsync(HttpMethod.Delete, TrackingWire.Api + "model-versions/delete", new { name = Name, version = text }), () => Forget(number), Repeatable: false);
            case 2:
                var stage = Pick(Stages);
                var archive = stage is "Staging" or "Production";
                return new Change(
                    () => Wire.PostAsync("model-versions/transition-stage", new { name = Name, version = text, stage, archive_existing_versions = archive }), () => Move(version, stage, archive), Repeatable: true);
            case 3 or 4:
                var alias = $"a{Random.Next(4)}";
                return new Change(() => Wire.PostAsync("registered-models/alias", new { name = Name, alias, version = text }), () => aliases[alias] = number, Repeatable: true);
            case 5:
                var gone = $"a{Random.Next(4)}";
                return new Change(() => Wire.CallAsync(HttpMethod.Delete, TrackingWire.Api + "registered-models/alias", new { name = Name, alias = gone }), () => aliases.Remove(gone), Repeatable: true);
            default:
                return new Change(() => Wire.PostAsync("model-versions/set-tag", new { name = Name, version = text, key = "t", value }), () => version.Tag = value, Repeatable: true);
        }
    }

    private void Forget(int number)
    {
        versions.Remove(number);
        foreach (var alias in aliases.Where(alias => alias.Value == number).Select(alias => alias.Key).ToList())
        {
            aliases.Remove(alias);
        }
    }

    private void Move(Version version, string stage, bool archive)
    {
        foreach (var other in versions.Values.Where(other => archive && other.Stage == stage))
        {
            other.Stage = "Archived";
        }

        version.Stage = stage;
    }

    protected override IReadOnlyCollection<string> Expected() =>
    [
        .. versions.Select(version => $"{version.Key} {version.Value.Nonce} {version.Value.Stage} tag {version.Value.Tag} aliases {string.Join(",", aliases.Where(alias => alias.Value == version.Key).Select(alias => alias.Key))}"),
        .. aliases.Select(alias => $"{alias.Key} -> {alias.Value}"),
    ];

    protected override async Task<IReadOnlyCollection<string>> ReadAsync()
    {
        var model = (await Wire.GetAsync("registered-models/get?name=" + Name)).GetProperty("registered_model");
        var found = await Wire.SearchAsync("model-versions/search", "model_versions", new(StringComparer.Ordinal) { ["filter"] = $"name = '{Name}'", ["max_results"] = 500 });
        return
        [
            .. found.Select(version => (Version: version, Tags: version.Pairs("tags"))).Select(one =>
                $"{one.Version.Text("version")} {one.Tags["nonce"]} {one.Version.Text("current_stage")} tag {one.Tags.GetValueOrDefault("t")} aliases {string.Join(",", one.Version.Items("aliases").Select(alias => alias.ToString()).Order(StringComparer.Ordinal))}"),
            .. model.Items("aliases").Select(alias => $"{alias.Text("alias")} -> {alias.Text("version")}"),
        ];
    }

    // The same versions as ARM sees them.
    protected override async Task VerifyAsync()
    {
        var seen = new List<string>();
        for (var page = $"{workspace}/models/{Name}/versions?api-version=2024-10-01"; page.Length > 0;)
        {
            var answer = await Wire.GetAsync(page);
            seen.AddRange(answer.Items("value").Select(version => $"{version.Text("name")} {version.GetProperty("properties").Text("stage") ?? "None"}"));
            page = answer.Text("nextLink") is { } link ? new Uri(link).PathAndQuery : "";
        }

        Assert.Equal(versions.Select(version => $"{version.Key} {version.Value.Stage}").Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
    }

    private sealed record Version
    {
        public required string Nonce { get; init; }

        public string Stage { get; set; } = "None";

        public string? Tag { get; set; }
    }
}
