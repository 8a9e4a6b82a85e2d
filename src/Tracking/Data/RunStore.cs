using System.Data.Common;
using System.Text.Json;
using Dapper;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Tracking.Data;

/// <summary>The runs of all workspaces.</summary>
internal sealed class RunStore(IDatabase database, WorkspaceKeys workspaces) : IRuns
{
    private const string ById = RunRow.Select + " WHERE r.workspace = ?1 AND r.id = ?2";

    private const string ByKey = RunRow.Select + " WHERE r.key = ?1";

    public Run Create(WriteScope scope, NewRun run)
    {
        var workspace = workspaces.Ensure(scope, run.Workspace);
        var experiment = ExperimentStore.EnsureRow(scope, workspace, run.Experiment);
        var now = scope.Now.ToUnixTimeMilliseconds();
        var started = run.Started?.ToUnixTimeMilliseconds() ?? (run.Status == RunStatus.Running ? now : null);
        var row = Insert(scope, new RunRow
        {
            Workspace = workspace,
            Id = run.Id,
            Name = run.DisplayName ?? run.Id,
            Parent = run.Parent,
            Type = run.Type,
            Status = (long)run.Status,
            User = run.User,
            Target = run.Target,
            Created = now,
            StartTime = started ?? now,
            Started = started,
            Ended = run.Status.IsTerminal() ? now : null,
        }, experiment);
        RunData.SetTags(scope, row, OwnTags(run, row).Concat(run.Tags.Select(tag => (tag.Key, tag.Value))));
        return row.ToContract(run.Workspace);
    }

    /// <summary>Inserts <paramref name="row"/> into its experiment; a Conflict problem when its id is taken.</summary>
    public static RunRow Insert(WriteScope scope, RunRow row, ExperimentRow experiment)
    {
        var insert = scope.Prepare(
            "INSERT INTO runs (workspace, id, experiment, name, parent, type, status, user, target, created, start_time, started, ended, changed) "
            + "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (workspace, id) DO NOTHING RETURNING key")
            .Bind(1, row.Workspace).Bind(2, row.Id).Bind(3, experiment.Key).Bind(4, row.Name).Bind(5, row.Parent).Bind(6, row.Type).Bind(7, row.Status).Bind(8, row.User)
            .Bind(9, row.Target).Bind(10, row.Created).Bind(11, row.StartTime).Bind(12, row.Started).Bind(13, row.Ended).Bind(14, scope.Sequence);
        if (!insert.Read())
        {
            throw new ProblemException(new Problem(ProblemKind.Conflict, "RunAlreadyExists", $"A run with id '{row.Id}' already exists."));
        }

        var key = insert.Long(0);
        insert.Reset();
        var made = row with { Key = key, Experiment = experiment.Key, ExperimentName = experiment.Name, Fallback = experiment.Fallback, Deleted = experiment.Deleted, ExperimentDeleted = experiment.Deleted, Changed = scope.Sequence };
        Note(scope, made, new RunMove(made.State, made.Ended ?? made.Started ?? made.Created, null, null));
        return made;
    }

    public bool SetStatus(WriteScope scope, WorkspaceRef workspace, string id, RunStatus status, RunError? error = null, DateTimeOffset? at = null)
    {
        var row = Get(scope, workspace, id);
        return !row.State.IsTerminal() && Move(scope, row, status, (at ?? scope.Now).ToUnixTimeMilliseconds(), error);
    }

    /// <summary>Moves a run whatever its state: MLflow lets a client reopen its own run.</summary>
    public static bool Move(WriteScope scope, RunRow row, RunStatus status, long at, RunError? error = null)
    {
        var started = row.Started ?? (status is RunStatus.Running or RunStatus.Finalizing ? at : null);
        scope.Execute(
            "UPDATE runs SET status = @status, started = @started, start_time = coalesce(@started, start_time), ended = @ended, error_code = @Code, error_message = @Message WHERE key = @Key",
            new { row.Key, status = (long)status, started, ended = status.IsTerminal() ? at : (long?)null, error?.Code, error?.Message });
        Note(scope, row, new RunMove(status, at, error?.Code, error?.Message));
        return true;
    }

    /// <summary>Notes a state that a run moved to, and tells of it.</summary>
    public static void Note(WriteScope scope, RunRow row, RunMove move)
    {
        scope.Prepare(
            "INSERT INTO run_states (run, arrived, status, time, error_code, error_message) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
            + "ON CONFLICT DO UPDATE SET time = excluded.time, error_code = excluded.error_code, error_message = excluded.error_message")
            .Bind(1, row.Key).Bind(2, scope.Sequence).Bind(3, (long)move.Status).Bind(4, move.Time).Bind(5, move.ErrorCode).Bind(6, move.ErrorMessage).Run();
        new RunChange(row) { Move = move }.Announce(scope);
    }

    public void SetDisplayName(WriteScope scope, WorkspaceRef workspace, string id, string displayName) => Rename(scope, Get(scope, workspace, id), displayName);

    public static void Rename(WriteScope scope, RunRow run, string name)
    {
        scope.Execute("UPDATE runs SET name = @name WHERE key = @Key", new { run.Key, name });
        RunData.SetTags(scope, run, [(MlflowTags.RunName, name)]);
    }

    public void SetTags(WriteScope scope, WorkspaceRef workspace, string id, IReadOnlyDictionary<string, string> tags) =>
        RunData.SetTags(scope, Get(scope, workspace, id), tags.Select(tag => (tag.Key, tag.Value)));

    public void SetOutputs(WriteScope scope, WorkspaceRef workspace, string id, IReadOnlyList<RunOutput> outputs) => scope.Execute(
        "INSERT INTO run_outputs (run, document) VALUES (@Key, @document) ON CONFLICT DO UPDATE SET document = excluded.document",
        new { Get(scope, workspace, id).Key, document = JsonSerializer.Serialize([.. outputs], TrackingJson.Default.ListRunOutput) });

    public Run? Find(WriteScope scope, WorkspaceRef workspace, string id) => Find(scope, workspaces.Ensure(scope, workspace), id)?.ToContract(workspace);

    public async Task<Run?> FindAsync(WorkspaceRef workspace, string id, CancellationToken ct) => (await FindRowAsync(workspace, id, ct))?.ToContract(workspace);

    public async Task<RunRow?> FindRowAsync(WorkspaceRef workspace, string id, CancellationToken ct)
    {
        var key = await workspaces.EnsureAsync(workspace, ct);
        return await database.ReadAsync(connection => Find(connection, key, id), ct);
    }

    public async Task<Page<Run>> ChildrenAsync(WorkspaceRef workspace, string parent, string? continuation, int top, CancellationToken ct)
    {
        var key = await workspaces.EnsureAsync(workspace, ct);
        var after = continuation is null ? 0 : long.TryParse(continuation, out var last)
            ? last
            : throw new ProblemException(new Problem(ProblemKind.Invalid, "InvalidContinuation", "The continuation token is not one of this list."));
        var rows = await database.ReadAsync(
            connection => connection.Query<RunRow>(
                RunRow.Select + " WHERE r.workspace = @key AND r.parent = @parent AND r.key > @after AND r.deleted = 0 ORDER BY r.key LIMIT @limit",
                new { key, parent, after, limit = top + 1 }).AsList(),
            ct);
        var page = rows.Take(top).ToList();
        return new Page<Run>([.. page.Select(row => row.ToContract(workspace))], rows.Count > top ? page[^1].Key.ToString() : null);
    }

    public async Task<IReadOnlyList<RunOutput>> OutputsAsync(WorkspaceRef workspace, string id, CancellationToken ct)
    {
        var key = await workspaces.EnsureAsync(workspace, ct);
        var document = await database.ReadAsync(
            connection => connection.QueryFirstOrDefault<string>(
                "SELECT o.document FROM run_outputs o JOIN runs r ON r.key = o.run WHERE r.workspace = @key AND r.id = @id", new { key, id }),
            ct);
        return document is null ? [] : JsonSerializer.Deserialize(document, TrackingJson.Default.ListRunOutput)!;
    }

    public Task<IReadOnlyDictionary<string, string>> TagsAsync(WorkspaceRef workspace, string id, CancellationToken ct) => TextsAsync("run_tags", workspace, id, ct);

    public Task<IReadOnlyDictionary<string, string>> PropertiesAsync(WorkspaceRef workspace, string id, CancellationToken ct) => TextsAsync("run_properties", workspace, id, ct);

    private async Task<IReadOnlyDictionary<string, string>> TextsAsync(string table, WorkspaceRef workspace, string id, CancellationToken ct)
    {
        var key = await workspaces.EnsureAsync(workspace, ct);
        return await database.ReadAsync(
            connection => connection.Query<(string Name, string Value)>(
                $"SELECT t.name, t.value FROM {table} t JOIN runs r ON r.key = t.run WHERE r.workspace = @key AND r.id = @id", new { key, id })
                .ToDictionary(text => text.Name, text => text.Value, StringComparer.Ordinal),
            ct);
    }

    public async Task<LoggedValues> LoggedAsync(WorkspaceRef workspace, string id, CancellationToken ct)
    {
        var key = await workspaces.EnsureAsync(workspace, ct);
        return await database.ReadAsync(
            connection =>
            {
                var run = connection.QueryFirstOrDefault<long?>("SELECT key FROM runs WHERE workspace = @key AND id = @id", new { key, id });
                long[] runs = run is { } found ? [found] : [];
                return new LoggedValues(
                    RunData.Params(connection, runs).SelectMany(values => values).ToDictionary(value => value.Name, value => value.Value, StringComparer.Ordinal),
                    MetricStore.Latest(connection, runs).SelectMany(values => values).ToDictionary(value => value.Name, value => value.Real, StringComparer.Ordinal));
            },
            ct);
    }

    public static RunRow? Find(WriteScope scope, long workspace, string id) => Only(scope.Prepare(ById).Bind(1, workspace).Bind(2, id));

    public static RunRow? Find(DbConnection connection, long workspace, string id) => Only(connection.Prepare(ById).Bind(1, workspace).Bind(2, id));

    public static RunRow? Find(WriteScope scope, long key) => Only(scope.Prepare(ByKey).Bind(1, key));

    public static IReadOnlyList<RunRow> ByKeys(DbConnection connection, IReadOnlyList<long> keys)
    {
        var rows = new List<RunRow>(keys.Count);
        var find = connection.Prepare(ByKey);
        foreach (var key in keys)
        {
            if (Only(find.Bind(1, key)) is { } row)
            {
                rows.Add(row);
            }
        }

        return rows;
    }

    private static RunRow? Only(Statement statement)
    {
        var row = statement.Read() ? RunRow.Read(statement) : null;
        statement.Reset();
        return row;
    }

    public static void SetDeleted(WriteScope scope, long key, bool deleted) =>
        scope.Execute("UPDATE runs SET deleted = @deleted WHERE key = @key", new { key, deleted = deleted ? 1 : 0 });

    private static IEnumerable<(string, string)> OwnTags(NewRun run, RunRow row)
    {
        yield return (MlflowTags.RunName, row.Name);
        yield return (MlflowTags.User, run.User);
        if (run.Type is not null)
        {
            yield return (MlflowTags.SourceType, "JOB");
        }

        if (run.Parent is not null)
        {
            yield return (MlflowTags.ParentRun, run.Parent);
        }
    }

    private RunRow Get(WriteScope scope, WorkspaceRef workspace, string id) => Find(scope, workspaces.Ensure(scope, workspace), id)
        ?? throw new ProblemException(new Problem(ProblemKind.NotFound, "RunNotFound", $"Run {id} was not found."));
}
