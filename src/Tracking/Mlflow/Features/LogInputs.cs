using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Notes the datasets and logged models that a run reads.</summary>
internal sealed class LogInputs(RunAccess runs) : MlflowOperation
{
    private const int Name = 500;
    private const int Digest = 36;
    private const int Schema = 1_048_575;
    private const int Source = 65_535;
    private const int Profile = 16_777_215;
    private const int TagKey = 255;
    private const int TagValue = 500;

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/log-inputs");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var run = request.RunId();
        var datasets = request.Objects("datasets").Select(input => (Read(input), Tags(input))).ToList();
        var models = request.Objects("models").Select(model => model.RequiredText("model_id")).ToList();
        await runs.WriteAsync(
            call,
            run,
            (scope, row) =>
            {
                foreach (var (dataset, tags) in datasets)
                {
                    InputStore.LogDataset(scope, row, dataset, tags);
                }

                foreach (var model in models)
                {
                    InputStore.LogModel(scope, row, output: false, model, 0);
                }
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }

    private static DatasetRow Read(MlflowRequest input)
    {
        var dataset = input.Object("dataset") ?? throw MlflowErrors.Missing("dataset");
        return new DatasetRow
        {
            Name = Limited("name", dataset.RequiredText("name"), Name),
            Digest = Limited("digest", dataset.RequiredText("digest"), Digest),
            SourceType = dataset.RequiredText("source_type"),
            Source = Limited("source", dataset.RequiredText("source"), Source),
            Schema = dataset.Text("schema") is { } schema ? Limited("schema", schema, Schema) : null,
            Profile = dataset.Text("profile") is { } profile ? Limited("profile", profile, Profile) : null,
        };
    }

    private static List<(string Name, string Value)> Tags(MlflowRequest input) => [.. input.Objects("tags").Select(tag => (
        Limited("key", tag.RequiredText("key"), TagKey),
        Limited("value", tag.TextOrEmpty("value"), TagValue)))];

    private static string Limited(string what, string value, int most) => value.Length <= most
        ? value
        : throw MlflowErrors.Invalid($"Dataset {what} exceeds the maximum length of {most}: it has {value.Length} characters.");
}

/// <summary>Notes the logged models that a run made.</summary>
internal sealed class LogOutputs(RunAccess runs) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/outputs");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var models = request.Objects("models").Select(model => (Id: model.RequiredText("model_id"), Step: model.Long("step") ?? 0)).ToList();
        await runs.WriteAsync(
            call,
            request.RunId(),
            (scope, row) =>
            {
                foreach (var (id, step) in models)
                {
                    InputStore.LogModel(scope, row, output: true, id, step);
                }
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}
