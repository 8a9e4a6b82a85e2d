using System.Text.Json;

namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Creates, ends, renames, tags, deletes and restores runs, and notes their inputs and models.</summary>
internal sealed class RunsClient(string name, int seed) : TrackingClient(name, seed)
{
    private readonly List<MadeRun> runs = [];
    private readonly Dictionary<string, string> ids = new(StringComparer.Ordinal);
    private string experiment = "";
    private string note = "";
    private int counter;

    protected override async Task SetUpAsync() => experiment = await Wire.ExperimentAsync(Name);

    protected override Change Next()
    {
        var active = runs.Where(run => !run.Deleted).ToList();
        var kind = Random.Next(10);
        if (active.Count == 0 || kind < 2)
        {
            return Create();
        }

        var (run, value) = (Pick(active), $"{++counter}");
        var id = ids[run.Nonce];
        switch (kind)
        {
            case 2 when run.Status == "RUNNING":
                var end = 1_700_000_000_000 + counter;
                return new Change(() => Wire.PostAsync("runs/update", new { run_id = id, status = "FINISHED", end_time = end }), () => (run.Status, run.End) = ("FINISHED", $"{end}"), Repeatable: true);
            case 3:
                return new Change(() => Wire.PostAsync("runs/update", new { run_id = id, run_name = value }), () => run.Name = value, Repeatable: true);
            case 4:
                return new Change(() => Wire.PostAsync("runs/set-tag", new { run_id = id, key = "t", value }), () => run.Tag = value, Repeatable: true);
            case 5 when run.Tag is not null:
                return new Change(() => Wire.PostAsync("runs/delete-tag", new { run_id = id, key = "t" }), () => run.Tag = null, Repeatable: false);
            case 6:
                return new Change(() => Wire.PostAsync("runs/delete", new { run_id = id }), () => run.Deleted = true, Repeatable: true);
            case 7 when runs.Find(one => one.Deleted) is { } deleted:
                return new Change(() => Wire.PostAsync("runs/restore", new { run_id = ids[deleted.Nonce] }), () => deleted.Deleted = false, Repeatable: true);
            case 8:
                var model = JsonSerializer.Serialize(new { artifact_path = "m", flavors = new { }, model_uuid = value });
                return new Change(() => Wire.PostAsync("runs/log-model", new { run_id = id, model_json = model }), () => run.Models++, Repeatable: true);
            case 9:
                var dataset = new { tags = new[] { new { key = "mlflow.data.context", value = "train" } }, dataset = new { name = "d" + value, digest = value, source_type = "local", source = "{}" } };
                return new Change(() => Wire.PostAsync("runs/log-inputs", new { run_id = id, datasets = new[] { dataset } }), () => run.Datasets.Add("d" + value), Repeatable: true);
            default:
                return new Change(() => Wire.PostAsync("experiments/set-experiment-tag", new { experiment_id = experiment, key = "note", value }), () => note = value, Repeatable: true);
        }
    }

    // The server gives the id: sent again, it would be another run, with MLflow's own server too.
    private Change Create()
    {
        var nonce = $"n{++counter}";
        return new Change(
            async () => ids[nonce] = (await Wire.PostAsync("runs/create", new { experiment_id = experiment, run_name = nonce, tags = new[] { new { key = "nonce", value = nonce }, new { key = "t", value = "0" } } })).GetProperty("run").GetProperty("info").Text("run_id")!,
            () => runs.Add(new MadeRun(nonce) { Name = nonce, Tag = "0" }),
            Repeatable: false);
    }

    protected override IReadOnlyCollection<string> Expected() =>
    [
        "note " + note,
        .. runs.Select(run => $"{run.Nonce} {run.Status} {run.Name} {run.Name} {run.End} {(run.Deleted ? "deleted" : "active")} tag {run.Tag} models {run.Models} data {string.Join(",", run.Datasets)}"),
    ];

    protected override async Task<IReadOnlyCollection<string>> ReadAsync()
    {
        var lines = new List<string> { "note " + (await Wire.GetAsync("experiments/get?experiment_id=" + experiment)).GetProperty("experiment").Pairs("tags").GetValueOrDefault("note", "") };
        foreach (var run in await Wire.SearchAsync("runs/search", "runs", new(StringComparer.Ordinal) { ["experiment_ids"] = new[] { experiment }, ["run_view_type"] = "ALL", ["max_results"] = 500 }))
        {
            var (info, tags) = (run.GetProperty("info"), run.GetProperty("data").Pairs("tags"));
            ids[tags["nonce"]] = info.Text("run_id")!;
            var models = tags.TryGetValue("mlflow.log-model.history", out var history) ? JsonDocument.Parse(history).RootElement.GetArrayLength() : 0;
            var data = run.TryGetProperty("inputs", out var inputs) ? inputs.Items("dataset_inputs").Select(input => input.GetProperty("dataset").Text("name")!).Order(StringComparer.Ordinal) : Enumerable.Empty<string>();
            lines.Add($"{tags["nonce"]} {info.Text("status")} {info.Text("run_name")} {tags["mlflow.runName"]} {info.Text("end_time")} {info.Text("lifecycle_stage")} tag {tags.GetValueOrDefault("t")} models {models} data {string.Join(",", data)}");
        }

        return lines;
    }

    protected override async Task VerifyAsync()
    {
        var active = await Wire.SearchAsync("runs/search", "runs", new(StringComparer.Ordinal) { ["experiment_ids"] = new[] { experiment }, ["filter"] = "attributes.status = 'FINISHED'" });
        Assert.Equal(runs.Count(run => run is { Deleted: false, Status: "FINISHED" }), active.Count);
    }

    private sealed record MadeRun(string Nonce)
    {
        public string Status { get; set; } = "RUNNING";

        public string Name { get; set; } = "";

        public string? End { get; set; }

        public string? Tag { get; set; }

        public bool Deleted { get; set; }

        public int Models { get; set; }

        public SortedSet<string> Datasets { get; } = new(StringComparer.Ordinal);
    }
}
