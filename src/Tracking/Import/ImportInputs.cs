using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Import;

/// <summary>What a run read, and the logged models it made.</summary>
internal sealed class ImportInputs(string run, IReadOnlyList<(DatasetRow Dataset, IReadOnlyList<(string Name, string Value)> Tags)> datasets, IReadOnlyList<string> models, IReadOnlyList<(string Model, long Step)> outputs)
    : ImportItem
{
    public const string Word = "inputs";

    private const int LongestDataset = 500;
    private const int LongestSchema = 1_048_575;
    private const int LongestProfile = 16_777_215;

    public override string Kind => Word;

    public override string Name => run;

    public override int Weight => 1 + (datasets.Count * 3) + models.Count + outputs.Count;

    public override int Count => datasets.Count + models.Count + outputs.Count;

    public static ImportItem Read(ImportRecord record) => new ImportInputs(
        record.Required("run", ImportRules.Run),
        [.. record.Objects("datasets").Select(dataset => (
            new DatasetRow
            {
                Name = dataset.Required("name", LongestDataset),
                Digest = dataset.Required("digest"),
                SourceType = dataset.Required("source_type"),
                Source = dataset.Text("source") ?? "",
                Schema = dataset.Text("schema", LongestSchema),
                Profile = dataset.Text("profile", LongestProfile),
            },
            dataset.Pairs("tags")))],
        record.Texts("models"),
        [.. record.Objects("outputs").Select(output => (output.Required("model", ImportRules.LoggedModel), output.Whole("step") ?? 0))]);

    public override void Apply(ImportUnit unit)
    {
        var row = unit.Run(run);
        foreach (var (dataset, tags) in datasets)
        {
            InputStore.LogDataset(unit.Scope, row, dataset, tags);
        }

        foreach (var model in models)
        {
            InputStore.LogModel(unit.Scope, row, output: false, model, 0);
        }

        foreach (var (model, step) in outputs)
        {
            InputStore.LogModel(unit.Scope, row, output: true, model, step);
        }
    }
}
