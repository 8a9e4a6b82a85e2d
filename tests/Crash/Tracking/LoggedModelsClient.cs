namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Logs models as MLflow 3 does: creates and finalizes them, tags them, measures them.</summary>
internal sealed class LoggedModelsClient(string name, int seed) : TrackingClient(name, seed)
{
    private readonly List<MadeModel> models = [];
    private readonly Dictionary<string, string> ids = new(StringComparer.Ordinal);
    private string experiment = "";
    private string run = "";
    private int counter;

    protected override async Task SetUpAsync()
    {
        experiment = await Wire.ExperimentAsync(Name);
        run = await Wire.RunAsync(experiment);
    }

    protected override Change Next()
    {
        var value = $"{++counter}";
        var kind = Random.Next(7);
        if (models.Count == 0 || kind == 0)
        {
            return Create(new MadeModel("n" + value));
        }

        var model = Pick(models);
        var id = ids[model.Nonce];
        switch (kind)
        {
            case 1 when model.Status == "LOGGED_MODEL_PENDING":
                return new Change(() => Wire.CallAsync(HttpMethod.Patch, $"{TrackingWire.Api}logged-models/{id}", new { status = "LOGGED_MODEL_READY" }), () => model.Status = "LOGGED_MODEL_READY", Repeatable: true);
            case 2:
                return new Change(() => Wire.CallAsync(HttpMethod.Patch, $"{TrackingWire.Api}logged-models/{id}/tags", new { tags = new[] { new { key = "t", value } } }), () => model.Tag = value, Repeatable: true);
            case 3:
                var several = new[] { new { key = "a" + value, value }, new { key = "b" + value, value } };
                return new Change(
                    () => Wire.PostAsync($"logged-models/{id}/params", new { @params = several }),
                    () =>
                    {
                        model.Params["a" + value] = value;
                        model.Params["b" + value] = value;
                    },
                    Repeatable: true);
            case 4 when models.Count > 5:
                return new Change(() => Wire.CallAsync(HttpMethod.Delete, $"{TrackingWire.Api}logged-models/{id}", null), () => models.Remove(model), Repeatable: false);
            default:
                var (number, step) = (counter, counter);
                return new Change(
                    () => Wire.PostAsync("runs/log-metric", new { run_id = run, key = "auc", value = number, timestamp = 1_700_000_000_000, step, model_id = id, dataset_name = "d", dataset_digest = "1" }),
                    () => model.Auc = number,
                    Repeatable: true);
        }
    }

    private Change Create(MadeModel model)
    {
        var tags = new[] { new { key = "nonce", value = model.Nonce }, new { key = "t", value = "0" } };
        var values = new[] { new { key = "depth", value = "3" } };
        return new Change(
            async () => ids[model.Nonce] = (await Wire.PostAsync("logged-models", new { experiment_id = experiment, name = "m", source_run_id = run, tags, @params = values })).GetProperty("model").GetProperty("info").Text("model_id")!,
            () => models.Add(model),
            Repeatable: false);
    }

    protected override IReadOnlyCollection<string> Expected() =>
        [.. models.Select(model => $"{model.Nonce} {model.Status} tag {model.Tag} params {model.Params.Joined()} auc {model.Auc}")];

    protected override async Task<IReadOnlyCollection<string>> ReadAsync()
    {
        var lines = new List<string>();
        foreach (var model in await Wire.SearchAsync("logged-models/search", "models", new(StringComparer.Ordinal) { ["experiment_ids"] = new[] { experiment } }))
        {
            var (info, data) = (model.GetProperty("info"), model.GetProperty("data"));
            var tags = info.Pairs("tags");
            ids[tags["nonce"]] = info.Text("model_id")!;
            lines.Add($"{tags["nonce"]} {info.Text("status")} tag {tags["t"]} params {data.Pairs("params").Joined()} auc {data.Items("metrics").SingleOrDefault(metric => metric.Text("key") == "auc") switch { { ValueKind: System.Text.Json.JsonValueKind.Object } metric => metric.Number("value"), _ => null }}");
        }

        return lines;
    }

    private sealed record MadeModel(string Nonce)
    {
        public string Status { get; set; } = "LOGGED_MODEL_PENDING";

        public string Tag { get; set; } = "0";

        public SortedDictionary<string, string> Params { get; } = new(StringComparer.Ordinal) { ["depth"] = "3" };

        public double? Auc { get; set; }
    }
}
