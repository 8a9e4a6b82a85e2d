using System.Globalization;
using Dapper;
using Zaffre.Database;
using Zaffre.Tracking;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Search;

namespace Zaffre.Tests.Unit.Tracking;

/// <summary>Random filters and orders over random runs: the SQL finds what the reference finds, in the same order, page by page.</summary>
public sealed class SearchPropertyTests : IAsyncLifetime, IDisposable
{
    private const int Runs = 60;
    private static readonly string[] Keys = ["a", "A", "b c", "x.y", "mlflow.note"];
    private static readonly double[] Numbers = [-1, 0, 0.1, 1, 2, 1e300, double.PositiveInfinity, double.NegativeInfinity, double.NaN];
    private static readonly string[] DatasetTexts = ["", "d", "D", "d%", "日本"];
    private static readonly ArtifactUris Uris = new("mlflow-artifacts:/", "/");

    private static readonly SearchKind Kind = new(
        [
            new(FilterEntity.Metric, Keys, Field.Numeric, [.. Numbers.Where(double.IsFinite).Cast<object>()]),
            new(FilterEntity.Param, Keys, Field.Keyed, FilterReference.Texts),
            new(FilterEntity.Tag, Keys, Field.Keyed, FilterReference.Texts),
            new(FilterEntity.Attribute, ["status", "run_name", "user_id", "artifact_uri"], Field.Text, [.. FilterReference.Texts, "RUNNING", "FINISHED", "%/run-_/artifacts", "a1", "ü0"]),
            new(FilterEntity.Attribute, ["run_id"], Field.Listed, ["run-1", "run-2", "RUN-3", "run-3", "run-40", "run-1%"]),
            new(FilterEntity.Attribute, ["start_time", "end_time", "created"], Field.Numeric, [.. Enumerable.Range(0, 12).Select(i => (object)(1_700_000_000_000d + i))]),
            new(FilterEntity.Dataset, ["name", "digest", "context"], Field.Listed, DatasetTexts),
        ],
        [
            (FilterEntity.Attribute, ["status", "run_name", "end_time", "start_time", "run_id", "user_id"]),
            (FilterEntity.Metric, Keys),
            (FilterEntity.Param, Keys),
            (FilterEntity.Tag, Keys),
        ],
        [new(FilterEntity.Attribute, "start_time", true), new(FilterEntity.Attribute, "run_id", false)]);

    private readonly TrackingFixture fixture = new();
    private readonly List<(Searched Run, long Experiment)> runs = [];
    private long workspace;

    public async Task InitializeAsync()
    {
        workspace = await fixture.Workspaces.EnsureAsync(TrackingFixture.Workspace, default);
        var random = new Random(11);
        for (var i = 0; i < Runs; i++)
        {
            var id = "run-" + i;
            runs.Add(await fixture.Database.WriteAsync(scope => Store(scope, random, id), default));
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void Ten_thousand_filters_find_what_the_reference_finds()
    {
        var all = runs.Select(run => run.Experiment).Distinct().ToList();
        FilterReference.Check(Kind, [.. runs.Select(run => run.Run)], (10_000, false), (filter, order, top) => Search(all, filter, order, top));
    }

    [Fact]
    public void Orders_put_missing_values_last_and_NaN_before_them_and_pages_have_no_gaps()
    {
        var all = runs.Select(run => run.Experiment).Distinct().ToList();
        FilterReference.Check(Kind, [.. runs.Select(run => run.Run)], (300, true), (filter, order, top) => Search(all, filter, order, top));
    }

    [Fact]
    public void Pages_of_one_experiment_that_come_by_an_index_are_those_of_the_reference() =>
        FilterReference.Check(
            Kind, [.. runs.Where(run => run.Experiment == runs[0].Experiment).Select(run => run.Run)], (1000, true), (filter, order, top) => Search([runs[0].Experiment], filter, order, top));

    [Theory]
    [InlineData("Active")]
    [InlineData("Deleted")]
    [InlineData("All")]
    public async Task Pages_over_several_experiments_are_merged_in_order_whatever_is_deleted(string view)
    {
        // Of each experiment some runs are deleted; the third is deleted altogether.
        var random = new Random(23);
        var gone = runs.Where(_ => random.Next(3) == 0).Select(run => run.Run.Id).ToHashSet(StringComparer.Ordinal);
        var all = runs.Select(run => run.Experiment).Distinct().ToList();
        await fixture.Database.WriteAsync(
            scope =>
            {
                foreach (var id in gone)
                {
                    RunStore.SetDeleted(scope, RunStore.Find(scope, workspace, id)!.Key, deleted: true);
                }

                ExperimentStore.SetDeleted(scope, all[^1], deleted: true);
                return true;
            },
            default);
        bool Shown((Searched Run, long Experiment) run) => view == "All" || (view == "Deleted") == (gone.Contains(run.Run.Id) || run.Experiment == all[^1]);
        FilterReference.Check(Kind, [.. runs.Where(Shown).Select(run => run.Run)], (200, true), (filter, order, top) => Search(all, filter, order, top, Enum.Parse<SearchView>(view)));
    }

    [Theory]
    [InlineData("metrics.m DESC")]
    [InlineData("params.p")]
    [InlineData("tags.t DESC")]
    [InlineData("run_name")]
    [InlineData("start_time DESC")]
    [InlineData("end_time DESC")]
    [InlineData("status")]
    [InlineData("user_id DESC")]
    [InlineData("run_id")]
    public void Searches_of_a_hundred_experiments_read_no_more_rows_than_the_page_and_one_of_each(string order)
    {
        var query = new SearchQuery { Tables = SearchQuery.RunTables, Filter = [], Order = FilterParser.ParseOrder(SearchSchema.Runs, [order]), View = SearchView.Active, Top = 5, Token = null };
        var branches = Enumerable.Range(1, 100).Select(key => ((long)key, false)).ToArray();
        // Runs whose metric is NaN have no order of their own: those are sorted.
        var plans = SortStretch.Of(SearchQuery.RunTables, query.Order[0])!.Where(stretch => query.Order[0].Entity != FilterEntity.Metric || stretch.Rank != 1).SelectMany(stretch =>
        {
            var sql = query.Of(stretch, new SearchSql(SearchQuery.RunTables));
            return query.Statements(sql, stretch, branches).SelectMany(statement => fixture.Database.ReadAsync(
                connection => connection.Query<(long Id, long Parent, long Unused, string Detail)>("EXPLAIN QUERY PLAN " + statement, sql.Parameters).Select(step => step.Detail).ToList(), default).GetAwaiter().GetResult());
        }).ToList();
        Assert.NotEmpty(plans);

        // Nothing is sorted but what is equal in the first key.
        Assert.DoesNotContain(plans, step => step == "USE TEMP B-TREE FOR ORDER BY");
        Assert.DoesNotContain(plans, step => step.StartsWith("SCAN", StringComparison.Ordinal));
    }

    private (Searched, long) Store(WriteScope scope, Random random, string id)
    {
        T Pick<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];
        var (start, ended) = (1_700_000_000_000 + random.Next(10), random.Next(2) == 0);
        var (name, user) = (Pick(FilterReference.Texts) + random.Next(3), Pick(FilterReference.Texts));
        var made = ((RunStore)fixture.Runs).Create(scope, new NewRun
        {
            Workspace = TrackingFixture.Workspace,
            Id = id,
            Experiment = random.Next(4) switch { 0 => "one", 1 or 2 => "two", _ => "three" },
            DisplayName = name,
            User = user,
            Status = RunStatus.Running,
            Started = DateTimeOffset.FromUnixTimeMilliseconds(start),
            Type = null,
        });
        var row = RunStore.Find(scope, made.Key)!;
        var end = start + random.Next(5);
        if (ended)
        {
            RunStore.Move(scope, row, RunStatus.Completed, end);
        }

        var run = new Searched(id)
            .With(FilterEntity.Attribute, "run_id", id).With(FilterEntity.Attribute, "run_name", name).With(FilterEntity.Attribute, "user_id", user)
            .With(FilterEntity.Attribute, "status", ended ? "FINISHED" : "RUNNING").With(FilterEntity.Attribute, "start_time", start).With(FilterEntity.Attribute, "created", start)
            .With(FilterEntity.Attribute, "end_time", ended ? end : null).With(FilterEntity.Attribute, "artifact_uri", $"mlflow-artifacts:/{made.ExperimentId}/{id}/artifacts");
        foreach (var key in Keys)
        {
            var (metric, param, tag) = (random.Next(2) == 0, random.Next(2) == 0, random.Next(2) == 0);
            if (metric)
            {
                var value = Pick(Numbers);
                fixture.Metrics.Log(scope, row, [new MetricPoint(key, value, 1, 1)]);
                run.With(FilterEntity.Metric, key, value);
            }

            if (param)
            {
                var value = Pick(FilterReference.Texts);
                RunData.LogParams(scope, row, [(key, value)]);
                run.With(FilterEntity.Param, key, value);
            }

            if (tag)
            {
                var value = Pick(FilterReference.Texts);
                RunData.SetTags(scope, row, [(key, value)]);
                run.With(FilterEntity.Tag, key, value);
            }
        }

        LogDatasets(scope, row, random, run);
        return (run, long.Parse(made.ExperimentId, CultureInfo.InvariantCulture));
    }

    private static void LogDatasets(WriteScope scope, RunRow row, Random random, Searched run)
    {
        string Pick() => DatasetTexts[random.Next(DatasetTexts.Length)];
        foreach (var dataset in DatasetTexts.Where(_ => random.Next(3) == 0))
        {
            var (digest, context) = (Pick(), random.Next(2) == 0 ? Pick() : null);
            InputStore.LogDataset(scope, row, new DatasetRow { Name = dataset, Digest = digest, SourceType = "local", Source = "" }, context is null ? [] : [(InputStore.Context, context)]);
            run.With(FilterEntity.Dataset, "name", dataset).With(FilterEntity.Dataset, "digest", digest).With(FilterEntity.Dataset, "context", context);
        }
    }

    private List<string> Search(IReadOnlyList<long> searched, string filter, string[] order, int top, SearchView view = SearchView.Active)
    {
        var found = new List<string>();
        string? token = null;
        do
        {
            var query = new SearchQuery
            {
                Tables = SearchQuery.RunTables,
                Filter = FilterParser.Parse(SearchSchema.Runs, filter),
                Order = FilterParser.ParseOrder(SearchSchema.Runs, order),
                View = view,
                Top = top,
                Token = token,
            };
            var (page, rows) = fixture.Database.ReadAsync(
                connection =>
                {
                    var keys = query.Run(connection, workspace, searched, Uris);
                    return (keys, RunStore.ByKeys(connection, keys.Items));
                },
                default).GetAwaiter().GetResult();
            found.AddRange(rows.Select(row => row.Id));
            token = page.Next;
        }
        while (token is not null);
        return found;
    }
}
