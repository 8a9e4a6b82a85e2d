using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>A dataset as it is logged.</summary>
internal sealed record DatasetRow
{
    public long Run { get; init; }

    public long Key { get; init; }

    public string Name { get; init; } = "";

    public string Digest { get; init; } = "";

    public string SourceType { get; init; } = "";

    public string Source { get; init; } = "";

    public string? Schema { get; init; }

    public string? Profile { get; init; }
}

/// <summary>A dataset that runs of an experiment read, in one context.</summary>
internal sealed record DatasetSummary(long Experiment, string Name, string Digest, string? Context);

/// <summary>A logged model that a run reads or made.</summary>
internal sealed record RunModel(long Run, long Output, string Model, long Step);

/// <summary>What a run read and which models it made.</summary>
internal sealed record RunInputs(
    IEnumerable<(DatasetRow Dataset, IEnumerable<(string Name, string Value)> Tags)> Datasets, IEnumerable<string> Models, IEnumerable<(string Model, long Step)> Outputs);

/// <summary>The inputs and outputs of runs.</summary>
internal static class InputStore
{
    /// <summary>The tag of an input that says what it was used for.</summary>
    public const string Context = "mlflow.data.context";

    private const int MostSummaries = 1000;

    /// <summary>Notes an input. The first description of a dataset stays; tags of an input are set.</summary>
    public static void LogDataset(WriteScope scope, RunRow run, DatasetRow dataset, IEnumerable<(string Name, string Value)> tags)
    {
        scope.Execute(
            "INSERT INTO datasets (experiment, name, digest, source_type, source, schema, profile) VALUES (@Experiment, @Name, @Digest, @SourceType, @Source, @Schema, @Profile) ON CONFLICT DO NOTHING",
            new { run.Experiment, dataset.Name, dataset.Digest, dataset.SourceType, dataset.Source, dataset.Schema, dataset.Profile });
        var key = scope.QueryFirstOrDefault<long>(
            "SELECT key FROM datasets WHERE experiment = @Experiment AND name = @Name AND digest = @Digest", new { run.Experiment, dataset.Name, dataset.Digest });
        scope.Execute("INSERT INTO run_datasets (run, dataset) VALUES (@Key, @key) ON CONFLICT DO NOTHING", new { run.Key, key });
        foreach (var (name, value) in tags)
        {
            scope.Execute(
                "INSERT INTO run_dataset_tags (run, dataset, name, value) VALUES (@Key, @dataset, @name, @value) ON CONFLICT DO UPDATE SET value = excluded.value",
                new { run.Key, dataset = key, name, value });
        }
    }

    public static void LogModel(WriteScope scope, RunRow run, bool output, string model, long step) => scope.Execute(
        "INSERT INTO run_models (run, output, model, step) VALUES (@Key, @output, @model, @step) ON CONFLICT DO NOTHING",
        new { run.Key, output = output ? 1 : 0, model, step });

    /// <summary>The inputs and outputs of runs, by run.</summary>
    public static Func<long, RunInputs> Read(DbConnection connection, IReadOnlyList<long> runs)
    {
        var parameters = new { runs = Keys.Json(runs) };
        var datasets = connection.Query<DatasetRow>(
            "SELECT i.run, d.key, d.name, d.digest, d.source_type AS sourceType, d.source, d.schema, d.profile FROM run_datasets i JOIN datasets d ON d.key = i.dataset "
            + "WHERE i.run IN (SELECT value FROM json_each(@runs)) ORDER BY i.run, d.key",
            parameters).ToLookup(row => row.Run);
        var tags = datasets.Count == 0
            ? Enumerable.Empty<(long, long, string, string)>().ToLookup(row => (row.Item1, row.Item2), row => (row.Item3, row.Item4))
            : connection.Query<(long Run, long Dataset, string Name, string Value)>(
                "SELECT run, dataset, name, value FROM run_dataset_tags WHERE run IN (SELECT value FROM json_each(@runs)) ORDER BY name", parameters)
                .ToLookup(row => (row.Run, row.Dataset), row => (row.Name, row.Value));
        var models = connection.Query<RunModel>(
            "SELECT run AS Run, output AS Output, model AS Model, step AS Step FROM run_models WHERE run IN (SELECT value FROM json_each(@runs)) ORDER BY step, model", parameters).ToLookup(row => row.Run);
        return run => new RunInputs(
            datasets[run].Select(dataset => (dataset, (IEnumerable<(string, string)>)tags[(run, dataset.Key)])),
            models[run].Where(model => model.Output == 0).Select(model => model.Model),
            models[run].Where(model => model.Output != 0).Select(model => (model.Model, model.Step)));
    }

    /// <summary>The datasets of experiments in every context they were used in.</summary>
    public static IReadOnlyList<DatasetSummary> Summaries(DbConnection connection, IReadOnlyList<long> experiments) => connection.Query<DatasetSummary>(
        "SELECT DISTINCT d.experiment AS Experiment, d.name AS Name, d.digest AS Digest, t.value AS Context FROM datasets d JOIN run_datasets i ON i.dataset = d.key "
        + "LEFT JOIN run_dataset_tags t ON t.run = i.run AND t.dataset = i.dataset AND t.name = @Context "
        + "WHERE d.experiment IN (SELECT value FROM json_each(@experiments)) ORDER BY d.experiment, d.name, d.digest, t.value LIMIT @MostSummaries",
        new { Context, MostSummaries, experiments = Keys.Json(experiments) }).AsList();
}
