using System.Globalization;
using System.Text.RegularExpressions;
using Dapper;
using FsCheck;
using FsCheck.Fluent;
using Zaffre.Tracking;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Search;

namespace Zaffre.Tests.Unit.Tracking;

/// <summary>Random filters and orders over random runs: the SQL finds what an evaluator in memory finds, in the same order, page by page.</summary>
public sealed class SearchPropertyTests : IAsyncLifetime, IDisposable
{
    private static readonly string[] Keys = ["a", "A", "b c", "x.y", "mlflow.note"];
    // Longer than what the index of values holds.
    private static readonly string Long = new('p', 200);

    private static readonly string[] Texts = ["", "a", "A", "ab", "a_b", "a%b", "*", "[x]", "it's", "B\"q", "10", "9", "ü", Long + "a", Long + "b"];
    private static readonly double[] Numbers = [-1, 0, 0.1, 1, 2, 1e300, double.PositiveInfinity, double.NegativeInfinity, double.NaN];
    private static readonly ArtifactUris Uris = new("mlflow-artifacts:/", "/");

    private readonly TrackingFixture fixture = new();
    private readonly List<Model> runs = [];
    private long workspace;
    private List<long> experiments = [];

    public async Task InitializeAsync()
    {
        workspace = await fixture.Workspaces.EnsureAsync(TrackingFixture.Workspace, default);
        var random = new Random(11);
        for (var i = 0; i < 60; i++)
        {
            var model = Model.Random(random, i);
            var run = await fixture.Database.WriteAsync(scope => Store(scope, model), default);
            runs.Add(model with { Experiment = run.ExperimentId });
        }

        experiments = [.. runs.Select(run => long.Parse(run.Experiment)).Distinct()];
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void Filters_find_what_the_reference_finds() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(10_000), Prop.ForAll(Arb.From(Terms(3)), terms =>
        {
            var filter = string.Join(" AND ", terms.Select(Spell));
            var parsed = FilterParser.Parse(SearchSchema.Runs, filter);
            var expected = runs.Where(run => terms.All(term => Holds(run, term))).OrderByDescending(run => run.Start).ThenBy(run => run.Id, StringComparer.Ordinal).Select(run => run.Id);
            Assert.Equal(expected, Search(experiments, parsed, [], 1000));
        }));

    [Fact]
    public void Orders_put_missing_values_last_and_NaN_before_them_and_pages_have_no_gaps() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Arb.From(Orders()), Arb.From(Gen.Choose(1, 25)), (order, top) =>
        {
            var parsed = FilterParser.ParseOrder(SearchSchema.Runs, [.. order.Select(Spell)]);
            Assert.Equal(Reference(runs, order), Search(experiments, [], parsed, top));
        }));

    [Fact]
    public void Pages_of_one_experiment_that_come_by_an_index_are_those_of_the_reference() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(Arb.From(Terms(2)), Arb.From(Orders()), Arb.From(Gen.Choose(1, 25)), (terms, order, top) =>
        {
            var filter = top % 2 == 0 ? [] : terms;
            var found = Search([experiments[0]], FilterParser.Parse(SearchSchema.Runs, string.Join(" AND ", filter.Select(Spell))), FilterParser.ParseOrder(SearchSchema.Runs, [.. order.Select(Spell)]), top);
            Assert.Equal(Reference(runs.Where(run => run.Experiment == FormattableString.Invariant($"{experiments[0]}") && filter.All(term => Holds(run, term))), order), found);
        }));

    [Theory]
    [InlineData("Active")]
    [InlineData("Deleted")]
    [InlineData("All")]
    public async Task Pages_over_several_experiments_are_merged_in_order_whatever_is_deleted(string view)
    {
        // Of each experiment some runs are deleted; the third is deleted altogether.
        var random = new Random(23);
        var gone = runs.Where(_ => random.Next(3) == 0).Select(run => run.Id).ToHashSet(StringComparer.Ordinal);
        await fixture.Database.WriteAsync(
            scope =>
            {
                foreach (var id in gone)
                {
                    RunStore.SetDeleted(scope, RunStore.Find(scope, workspace, id)!.Key, deleted: true);
                }

                ExperimentStore.SetDeleted(scope, experiments[^1], deleted: true);
                return true;
            },
            default);
        bool Shown(Model run) => view == "All" || (view == "Deleted") == (gone.Contains(run.Id) || run.Experiment == FormattableString.Invariant($"{experiments[^1]}"));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(Arb.From(Orders()), Arb.From(Gen.Choose(1, 25)), (order, top) => Assert.Equal(
            Reference(runs.Where(Shown), order),
            Search(experiments, [], FilterParser.ParseOrder(SearchSchema.Runs, [.. order.Select(Spell)]), top, Enum.Parse<SearchView>(view)))));
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

    private static Gen<Term[]> Terms(int most) =>
        from count in Gen.Choose(1, most)
        from terms in Gen.ArrayOf(Gen.OneOf(Metric(), Text(FilterEntity.Param), Text(FilterEntity.Tag), Attribute(), Time()), count)
        select terms;

    private static Gen<Term> Metric() =>
        from key in Gen.Elements(Keys)
        from comparison in Gen.Elements("=", "!=", ">", ">=", "<", "<=")
        from value in Gen.Elements(Numbers.Where(double.IsFinite).ToArray())
        select new Term(FilterEntity.Metric, key, comparison, value, "", []);

    private static Gen<Term> Text(FilterEntity entity) =>
        from key in Gen.Elements(Keys)
        from comparison in Gen.Elements("=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL")
        from value in Gen.Elements(Texts.Concat(["a%", "%b", "_", "A_b", "%"]).ToArray())
        select new Term(entity, key, comparison, 0, value, []);

    private static Gen<Term> Attribute() =>
        from key in Gen.Elements("status", "run_name", "user_id", "run_id", "artifact_uri")
        from comparison in Gen.Elements("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")
        from value in Gen.Elements(Texts.Concat(["RUNNING", "FINISHED", "run-1%", "RUN-3", "run-3", "%/run-_/artifacts"]).ToArray())
        from list in Gen.ArrayOf(Gen.Elements("run-1", "run-2", "RUN-3", "run-40"), 2)
        select new Term(FilterEntity.Attribute, comparison is "IN" or "NOT IN" ? "run_id" : key, comparison, 0, value, list);

    private static Gen<Term> Time() =>
        from key in Gen.Elements("start_time", "end_time")
        from comparison in Gen.Elements("=", "!=", ">", ">=", "<", "<=")
        from value in Gen.Choose(0, 12)
        select new Term(FilterEntity.Attribute, key, comparison, 1_700_000_000_000 + value, "", []);

    private static Gen<Sort[]> Orders() =>
        from count in Gen.Choose(0, 3)
        from sorts in Gen.ArrayOf(
            from entity in Gen.Elements(FilterEntity.Attribute, FilterEntity.Metric, FilterEntity.Param, FilterEntity.Tag)
            from key in Gen.Elements(Keys)
            from attribute in Gen.Elements("status", "run_name", "end_time", "start_time", "run_id", "user_id")
            from down in Gen.Elements(true, false)
            select new Sort(entity, entity == FilterEntity.Attribute ? attribute : key, down), count)
        select sorts.DistinctBy(sort => (sort.Entity, sort.Key)).ToArray();

    private static string Quote(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    private static string Name(FilterEntity entity, string key) => entity switch
    {
        FilterEntity.Metric => $"metrics.`{key}`",
        FilterEntity.Param => $"params.\"{key}\"",
        FilterEntity.Tag => key.Contains(' ', StringComparison.Ordinal) ? $"tags.`{key}`" : $"tag.{key}",
        _ => key,
    };

    private static string Spell(Sort sort) => Name(sort.Entity, sort.Key) + (sort.Descending ? " DESC" : "");

    private static string Spell(Term term) => $"{Name(term.Entity, term.Key)} {term.Comparison} " + term switch
    {
        { Comparison: "IS NULL" or "IS NOT NULL" } => "",
        { Comparison: "IN" or "NOT IN" } => "(" + string.Join(", ", term.List.Select(Quote)) + ")",
        { Entity: FilterEntity.Metric } or { Key: "start_time" or "end_time" } => term.Number.ToString("R", CultureInfo.InvariantCulture),
        _ => Quote(term.Text),
    };

    private static bool Holds(Model run, Term term) => term.Entity switch
    {
        FilterEntity.Metric => run.Metrics.TryGetValue(term.Key, out var metric) && Compare(metric, term),
        FilterEntity.Param => Keyed(run.Params, term),
        FilterEntity.Tag => Keyed(run.Tags, term),
        _ when term.Key is "start_time" => Compare(run.Start, term),
        _ when term.Key is "end_time" => run.End is { } end && Compare(end, term),
        _ => Compare(run.Attribute(term.Key), term),
    };

    private static bool Keyed(Dictionary<string, string> values, Term term) => term.Comparison switch
    {
        "IS NULL" => !values.ContainsKey(term.Key),
        "IS NOT NULL" => values.ContainsKey(term.Key),
        _ => values.TryGetValue(term.Key, out var value) && Compare(value, term),
    };

    private static bool Compare(double value, Term term) => term.Comparison switch
    {
        "=" => value == term.Number,
        "!=" => value != term.Number,
        ">" => value > term.Number,
        ">=" => value >= term.Number,
        "<" => value < term.Number,
        _ => value <= term.Number,
    };

    private static bool Compare(string value, Term term) => term.Comparison switch
    {
        "=" => value == term.Text,
        "!=" => value != term.Text,
        "IN" => term.List.Contains(value),
        "NOT IN" => !term.List.Contains(value),
        _ => Regex.IsMatch(
            value,
            "\\A" + Regex.Escape(term.Text).Replace("%", ".*", StringComparison.Ordinal).Replace("_", ".", StringComparison.Ordinal) + "\\z",
            RegexOptions.Singleline | (term.Comparison == "ILIKE" ? RegexOptions.IgnoreCase | RegexOptions.CultureInvariant : RegexOptions.None),
            TimeSpan.FromSeconds(1)),
    };

    private static Run Store(Zaffre.Database.WriteScope scope, RunStore store, MetricStore metrics, Model model)
    {
        var run = store.Create(scope, new NewRun
        {
            Workspace = TrackingFixture.Workspace,
            Id = model.Id,
            Experiment = model.Experiment,
            DisplayName = model.Name,
            User = model.User,
            Status = RunStatus.Running,
            Started = DateTimeOffset.FromUnixTimeMilliseconds(model.Start),
            Type = null,
        });
        var row = RunStore.Find(scope, run.Key)!;
        if (model.End is { } end)
        {
            RunStore.Move(scope, row, model.Status, end);
        }

        RunData.SetTags(scope, row, model.Tags.Select(tag => (tag.Key, tag.Value)));
        RunData.LogParams(scope, row, model.Params.Select(param => (param.Key, param.Value)));
        metrics.Log(scope, row, [.. model.Metrics.Select(metric => new MetricPoint(metric.Key, metric.Value, 1, 1))]);
        return run;
    }

    private Run Store(Zaffre.Database.WriteScope scope, Model model) => Store(scope, (RunStore)fixture.Runs, fixture.Metrics, model);

    private List<string> Search(IReadOnlyList<long> searched, IReadOnlyList<FilterTerm> filter, IReadOnlyList<SortTerm> order, int top, SearchView view = SearchView.Active)
    {
        var found = new List<string>();
        string? token = null;
        do
        {
            var query = new SearchQuery { Tables = SearchQuery.RunTables, Filter = filter, Order = order, View = view, Top = top, Token = token };
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

    private static IEnumerable<string> Reference(IEnumerable<Model> of, Sort[] order)
    {
        var sorted = of.OrderBy(_ => 0);
        foreach (var sort in order)
        {
            int Rank(Model run) => run.Value(sort) switch { null => 2, double.NaN => 1, _ => 0 };
            sorted = sorted.ThenBy(Rank);
            var comparer = Comparer<object?>.Create((left, right) => (left, right) switch
            {
                (string a, string b) => string.CompareOrdinal(a, b),
                (double a, double b) when !double.IsNaN(a) && !double.IsNaN(b) => a.CompareTo(b),
                _ => 0,
            });
            sorted = sort.Descending ? sorted.ThenByDescending(run => run.Value(sort), comparer) : sorted.ThenBy(run => run.Value(sort), comparer);
        }

        return sorted.ThenByDescending(run => run.Start).ThenBy(run => run.Id, StringComparer.Ordinal).Select(run => run.Id);
    }

    private sealed record Term(FilterEntity Entity, string Key, string Comparison, double Number, string Text, string[] List);

    private sealed record Sort(FilterEntity Entity, string Key, bool Descending);

    private sealed record Model(string Id, string Experiment, string Name, string User, RunStatus Status, long Start, long? End)
    {
        public Dictionary<string, double> Metrics { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, string> Params { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, string> Tags { get; } = new(StringComparer.Ordinal);

        public static Model Random(Random random, int i)
        {
            string Pick() => Texts[random.Next(Texts.Length)];
            var ended = random.Next(2) == 0;
            var start = 1_700_000_000_000 + random.Next(10);
            var model = new Model(
                "run-" + i, random.Next(4) switch { 0 => "one", 1 => "two", 2 => "two", _ => "three" }, Pick() + random.Next(3), Pick(), ended ? RunStatus.Completed : RunStatus.Running, start, ended ? start + random.Next(5) : null);
            foreach (var key in Keys)
            {
                if (random.Next(2) == 0)
                {
                    model.Metrics[key] = Numbers[random.Next(Numbers.Length)];
                }

                if (random.Next(2) == 0)
                {
                    model.Params[key] = Pick();
                }

                if (random.Next(2) == 0)
                {
                    model.Tags[key] = Pick();
                }
            }

            return model;
        }

        public string Attribute(string key) => key switch
        {
            "status" => Status.ToMlflow(),
            "run_name" => Name,
            "user_id" => User,
            "run_id" => Id,
            _ => $"mlflow-artifacts:/{Experiment}/{Id}/artifacts",
        };

        public object? Value(Sort sort) => sort.Entity switch
        {
            FilterEntity.Metric => Metrics.TryGetValue(sort.Key, out var metric) ? metric : null,
            FilterEntity.Param => Params.GetValueOrDefault(sort.Key),
            FilterEntity.Tag => Tags.GetValueOrDefault(sort.Key),
            _ => sort.Key switch
            {
                "start_time" => (double)Start,
                "end_time" => End is { } end ? (double)end : null,
                _ => Attribute(sort.Key),
            },
        };
    }
}
