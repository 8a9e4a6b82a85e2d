namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Creates, renames, tags, deletes and restores experiments.</summary>
internal sealed class ExperimentsClient(string name, int seed) : TrackingClient(name, seed)
{
    private readonly List<MadeExperiment> experiments = [];
    private readonly Dictionary<string, string> ids = new(StringComparer.Ordinal);
    private int counter;

    protected override Task SetUpAsync() => Task.CompletedTask;

    protected override Change Next()
    {
        var value = $"{++counter}";
        var kind = Random.Next(8);
        var active = experiments.Where(experiment => !experiment.Deleted).ToList();
        if (active.Count == 0 || kind < 2)
        {
            var made = new MadeExperiment("n" + value) { Name = $"{Name}-{value}" };
            var body = new { name = made.Name, tags = new[] { new { key = "client", value = Name }, new { key = "nonce", value = made.Nonce } } };
            return new Change(async () => ids[made.Nonce] = (await Wire.PostAsync("experiments/create", body)).Text("experiment_id")!, () => experiments.Add(made), Repeatable: false);
        }

        var experiment = Pick(active);
        var id = ids[experiment.Nonce];
        switch (kind)
        {
            case 2 when active.Count > 3:
                return new Change(() => Wire.PostAsync("experiments/delete", new { experiment_id = id }), () => experiment.Deleted = true, Repeatable: false);
            case 3 when experiments.Find(one => one.Deleted) is { } gone:
                return new Change(() => Wire.PostAsync("experiments/restore", new { experiment_id = ids[gone.Nonce] }), () => gone.Deleted = false, Repeatable: false);
            case 4 or 5:
                return new Change(() => Wire.PostAsync("experiments/set-experiment-tag", new { experiment_id = id, key = "t", value }), () => experiment.Tag = value, Repeatable: true);
            default:
                var renamed = $"{Name}-{value}";
                return new Change(() => Wire.PostAsync("experiments/update", new { experiment_id = id, new_name = renamed }), () => experiment.Name = renamed, Repeatable: true);
        }
    }

    protected override IReadOnlyCollection<string> Expected() =>
        [.. experiments.Select(one => $"{one.Nonce} {one.Name} {(one.Deleted ? "deleted" : "active")} tag {one.Tag}")];

    protected override async Task<IReadOnlyCollection<string>> ReadAsync()
    {
        var lines = new List<string>();
        foreach (var experiment in await Wire.SearchAsync("experiments/search", "experiments", new(StringComparer.Ordinal) { ["view_type"] = "ALL", ["filter"] = $"tags.client = '{Name}'", ["max_results"] = 500 }))
        {
            var tags = experiment.Pairs("tags");
            ids[tags["nonce"]] = experiment.Text("experiment_id")!;
            lines.Add($"{tags["nonce"]} {experiment.Text("name")} {experiment.Text("lifecycle_stage")} tag {tags.GetValueOrDefault("t")}");
        }

        return lines;
    }

    private sealed record MadeExperiment(string Nonce)
    {
        public required string Name { get; set; }

        public string? Tag { get; set; }

        public bool Deleted { get; set; }
    }
}
