using Dapper;
using Zaffre.Database;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Registry;
using Zaffre.Tracking.Search;

namespace Zaffre.Tests.Unit.Tracking;

/// <summary>Random filters and orders over experiments, registered models, their versions and logged models.</summary>
public sealed class OtherSearchPropertyTests : IAsyncLifetime, IDisposable
{
    private const int Things = 40;
    private const int Cases = 1000;
    private static readonly string[] Keys = ["a", "b c", "x.y"];
    private static readonly object[] Times = [0d, 3d, 5d, 8d];
    private static readonly double[] Numbers = [-1, 0, 0.5, 2, double.NaN, double.PositiveInfinity];
    private static readonly Field Tags = new(FilterEntity.Tag, Keys, Field.Keyed, FilterReference.Texts);

    private readonly TrackingFixture fixture = new();
    private readonly Random random = new(13);
    private long workspace;

    public async Task InitializeAsync() => workspace = await fixture.Workspaces.EnsureAsync(TrackingFixture.Workspace, default);

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task Experiments_are_those_of_the_reference()
    {
        var made = await MakeAsync((scope, i) =>
        {
            var (name, created, updated) = (Pick(FilterReference.Texts) + i, random.Next(10), random.Next(10));
            var key = ExperimentStore.Insert(scope, workspace, name).Key;
            scope.Execute("UPDATE experiments SET created = @created, updated = @updated WHERE key = @key", new { key, created, updated });
            return Tagged(scope, "experiment_tags", "experiment", key, Named(key, name).With(FilterEntity.Attribute, "creation_time", (long)created).With(FilterEntity.Attribute, "last_update_time", (long)updated)
                .With(FilterEntity.Attribute, "experiment_id", key));
        });
        var kind = new SearchKind(
            [new(FilterEntity.Attribute, ["name"], Field.Text, FilterReference.Texts), new(FilterEntity.Attribute, ["creation_time", "last_update_time"], Field.Numeric, Times), Tags],
            [(FilterEntity.Attribute, ["name", "creation_time", "last_update_time", "experiment_id"]), (FilterEntity.Tag, Keys)],
            [new(FilterEntity.Attribute, "creation_time", true), new(FilterEntity.Attribute, "experiment_id", false)]);
        Check(kind, made, SearchSchema.Experiments, query => fixture.Database.ReadAsync(
            connection =>
            {
                var sql = new SearchSql(query.Tables);
                sql.And($"e.workspace = {workspace} AND e.fallback = 0");
                return query.Run(connection, sql);
            },
            default));
    }

    [Fact]
    public async Task Registered_models_and_their_versions_are_those_of_the_reference()
    {
        var (models, versions) = (new List<Searched>(), new List<Searched>());
        await MakeAsync((scope, i) =>
        {
            var (name, time) = ($"m{i}{Pick(["a", "A", "_b", ".c"])}", random.Next(10));
            var id = $"{TrackingFixture.Workspace.Id.Key}/models/{name}";
            scope.Execute(
                "INSERT INTO registered_models (key, id, workspace, name, archived, created, updated, user) VALUES (@i, @id, @workspace, @name, 0, @time, @time, '')",
                new { i, id, workspace = TrackingFixture.Workspace.Id.Key, name, time });
            models.Add(Tagged(scope, "registered_model_tags", "model", i, Named(i, name).With(FilterEntity.Attribute, "creation_timestamp", (long)time).With(FilterEntity.Attribute, "last_updated_timestamp", (long)time)));
            for (var version = 1; version <= random.Next(1, 4); version++)
            {
                versions.Add(Version(scope, (id, name), (i * 10) + version, version));
            }

            return models[^1];
        });
        var kind = new SearchKind(
            [new(FilterEntity.Attribute, ["name"], Field.Text, ["m1a", "m_a", "m%", "M1%", "%.c"]), Tags],
            [(FilterEntity.Attribute, ["name", "creation_timestamp", "last_updated_timestamp"]), (FilterEntity.Tag, Keys)],
            [new(FilterEntity.Attribute, "name", false)]);
        Check(kind, models, SearchSchema.RegisteredModels, RegistryAsync);
        var ofVersions = new SearchKind(
            [
                new(FilterEntity.Attribute, ["name", "source_path"], Field.Text, ["m1a", "m%", "M1%", .. FilterReference.Texts]),
                new(FilterEntity.Attribute, ["run_id"], Field.Listed, ["", "run-1", "run-2", "RUN-1", "r%"]),
                new(FilterEntity.Attribute, ["version_number"], Field.Numeric, [1d, 2d, 3d]),
                Tags,
            ],
            [(FilterEntity.Attribute, ["name", "version_number", "creation_timestamp", "last_updated_timestamp"]), (FilterEntity.Tag, Keys)],
            [new(FilterEntity.Attribute, "last_updated_timestamp", true), new(FilterEntity.Attribute, "name", false), new(FilterEntity.Attribute, "version_number", true)]);
        Check(ofVersions, versions, SearchSchema.ModelVersions, RegistryAsync);
    }

    [Fact]
    public async Task Logged_models_are_those_of_the_reference()
    {
        var experiment = await fixture.Database.WriteAsync(scope => ExperimentStore.Insert(scope, workspace, "logged").Key, default);
        var made = await MakeAsync((scope, i) =>
        {
            var (name, type, run, status, time) = (Pick(FilterReference.Texts), Maybe(["agent", "Agent", "ü"]), Maybe(["run-1", "run-2"]), random.Next(1, 4), random.Next(10));
            var key = scope.QueryFirstOrDefault<long>(
                "INSERT INTO logged_models (workspace, id, experiment, name, type, source_run, status, created, updated) VALUES (@workspace, @id, @experiment, @name, @type, @run, @status, @time, @time) RETURNING key",
                new { workspace, id = "m-" + i, experiment, name, type, run, status, time });
            var model = Tagged(scope, "logged_model_tags", "model", key, Named(key, name))
                .With(FilterEntity.Attribute, "model_id", "m-" + i).With(FilterEntity.Attribute, "model_type", type).With(FilterEntity.Attribute, "source_run_id", run)
                .With(FilterEntity.Attribute, "status", status switch { 2 => "READY", 3 => "FAILED", _ => "PENDING" })
                .With(FilterEntity.Attribute, "creation_timestamp", (long)time).With(FilterEntity.Attribute, "last_updated_timestamp", (long)time);
            foreach (var name2 in Keys)
            {
                Logged(scope, key, name2, model);
            }

            return model;
        });
        var kind = new SearchKind(
            [
                new(FilterEntity.Attribute, ["name", "model_id", "model_type", "status", "source_run_id"], Field.Listed, [.. FilterReference.Texts, "m-1", "agent", "AGENT", "READY", "run-1"]),
                new(FilterEntity.Attribute, ["creation_timestamp", "last_updated_timestamp"], Field.Numeric, Times),
                new(FilterEntity.Metric, Keys, Field.Numeric, [.. Numbers.Where(double.IsFinite).Cast<object>()]),
                new(FilterEntity.Param, Keys, Field.Keyed, FilterReference.Texts),
                Tags,
            ],
            [(FilterEntity.Attribute, ["name", "creation_timestamp", "model_type", "source_run_id"]), (FilterEntity.Param, Keys), (FilterEntity.Tag, Keys)],
            [new(FilterEntity.Attribute, "creation_timestamp", true), new(FilterEntity.Attribute, "model_id", false)]);
        Check(kind, made, SearchSchema.LoggedModels, query => fixture.Database.ReadAsync(
            connection =>
            {
                var sql = new SearchSql(query.Tables);
                sql.And($"l.experiment = {experiment}");
                return query.Run(connection, sql);
            },
            default));
    }

    private Searched Version(WriteScope scope, (string Id, string Name) model, int key, int version)
    {
        var (source, run, time) = (Pick(FilterReference.Texts), Pick(["", "run-1", "run-2", "RUN-1"]), random.Next(10));
        scope.Execute(
            "INSERT INTO model_versions (key, id, workspace, model, version, number, stage, source, uri, run, archived, created, updated, user) "
            + "VALUES (@key, @id, @workspace, @model, @version, @version, 'None', @source, @source, @run, 0, @time, @time, '')",
            new { key, id = $"{model.Id}/versions/{version}", workspace = TrackingFixture.Workspace.Id.Key, model = model.Id, version, source, run, time });
        return Tagged(scope, "model_version_tags", "version", key, Named(key, model.Name).With(FilterEntity.Attribute, "source_path", source).With(FilterEntity.Attribute, "run_id", run)
            .With(FilterEntity.Attribute, "version_number", (long)version).With(FilterEntity.Attribute, "creation_timestamp", (long)time).With(FilterEntity.Attribute, "last_updated_timestamp", (long)time));
    }

    private void Logged(WriteScope scope, long model, string name, Searched searched)
    {
        scope.Execute("INSERT INTO metric_names (name) VALUES (@name) ON CONFLICT DO NOTHING", new { name });
        for (var run = random.Next(3); run > 0; run--)
        {
            var value = Numbers[random.Next(Numbers.Length)];
            scope.Execute(
                "INSERT INTO logged_model_metrics (model, metric, run, dataset_name, dataset_digest, step, time, nan, value) VALUES (@model, (SELECT key FROM metric_names WHERE name = @name), @run, '', '', 1, 1, @nan, @value)",
                new { model, name, run, nan = double.IsNaN(value) ? 1 : 0, value = double.IsNaN(value) ? 0 : value });
            searched.With(FilterEntity.Metric, name, value);
        }

        if (Maybe(FilterReference.Texts) is { } param)
        {
            scope.Execute("INSERT INTO logged_model_params (model, name, value) VALUES (@model, @name, @param)", new { model, name, param });
            searched.With(FilterEntity.Param, name, param);
        }
    }

    private Searched Tagged(WriteScope scope, string table, string owner, long key, Searched thing)
    {
        foreach (var name in Keys)
        {
            if (Maybe(FilterReference.Texts) is { } value)
            {
                scope.Execute($"INSERT INTO {table} ({owner}, name, value) VALUES (@key, @name, @value)", new { key, name, value });
                thing.With(FilterEntity.Tag, name, value);
            }
        }

        return thing;
    }

    private Task<List<Searched>> MakeAsync(Func<WriteScope, int, Searched> make) =>
        fixture.Database.WriteAsync(scope => Enumerable.Range(1, Things).Select(i => make(scope, i)).ToList(), default);

    private Task<Zaffre.Kernel.Page<long>> RegistryAsync(SearchQuery query)
    {
        var (search, sql) = RegistrySearch.In(TrackingFixture.Workspace, query);
        return fixture.Database.ReadAsync(connection => search.Run(connection, sql), default);
    }

    private static void Check(SearchKind kind, IReadOnlyList<Searched> things, SearchSchema schema, Func<SearchQuery, Task<Zaffre.Kernel.Page<long>>> run)
    {
        IReadOnlyList<string> Search(string filter, string[] order, int top)
        {
            var found = new List<string>();
            string? token = null;
            do
            {
                var page = run(new SearchQuery
                {
                    Tables = TablesOf(schema),
                    Filter = FilterParser.Parse(schema, filter),
                    Order = FilterParser.ParseOrder(schema, order),
                    View = SearchView.Active,
                    Top = top,
                    Token = token,
                }).GetAwaiter().GetResult();
                found.AddRange(page.Items.Select(key => FormattableString.Invariant($"{key}")));
                token = page.Next;
            }
            while (token is not null);
            return found;
        }

        FilterReference.Check(kind, things, (Cases, false), Search);
        FilterReference.Check(kind, things, (Cases / 5, true), Search);
    }

    private static SearchTables TablesOf(SearchSchema schema) => schema == SearchSchema.Experiments ? SearchQuery.ExperimentTables
        : schema == SearchSchema.LoggedModels ? SearchQuery.LoggedModelTables
        : schema == SearchSchema.RegisteredModels ? RegistrySearch.ModelTables
        : RegistrySearch.VersionTables;

    private static Searched Named(long key, string name) => new Searched(FormattableString.Invariant($"{key}")).With(FilterEntity.Attribute, "name", name);

    private string Pick(IReadOnlyList<string> of) => of[random.Next(of.Count)];

    private string? Maybe(IReadOnlyList<string> of) => random.Next(2) == 0 ? Pick(of) : null;
}
