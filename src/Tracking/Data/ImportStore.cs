using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>Writes of an import: what elsewhere is this server's to say (ids, times, lifecycle), here is the source's.</summary>
internal static class ImportStore
{
    private const string ModelById = LoggedModelRow.Columns + " WHERE l.workspace = @workspace AND l.id = @id";

    /// <summary>Sets times and lifecycle of an experiment.</summary>
    public static void Restate(WriteScope scope, ExperimentRow experiment) => scope.Execute(
        "UPDATE experiments SET deleted = @Deleted, created = @Created, updated = @Updated WHERE key = @Key",
        new { experiment.Key, experiment.Deleted, experiment.Created, experiment.Updated });

    /// <summary>Sets what a run is; its id and experiment stay.</summary>
    public static void Restate(WriteScope scope, RunRow run) => scope.Execute(
        "UPDATE runs SET name = @Name, parent = @Parent, status = @Status, user = @User, created = @Created, start_time = @StartTime, started = @Started, ended = @Ended, deleted = @Deleted WHERE key = @Key",
        run);

    /// <summary>The logged model of that id, deleted ones too.</summary>
    public static LoggedModelRow? FindModel(WriteScope scope, long workspace, string id) => scope.QueryFirstOrDefault<LoggedModelRow>(ModelById, new { workspace, id });

    /// <inheritdoc cref="FindModel(WriteScope, long, string)"/>
    public static LoggedModelRow? FindModel(DbConnection connection, long workspace, string id) => connection.QueryFirstOrDefault<LoggedModelRow>(ModelById, new { workspace, id });

    /// <summary>Creates a logged model with its own id.</summary>
    public static void InsertModel(WriteScope scope, long workspace, LoggedModelRow model) => scope.Execute(
        "INSERT INTO logged_models (workspace, id, experiment, name, type, source_run, status, created, updated, deleted) VALUES (@workspace, @Id, @Experiment, @Name, @Type, @SourceRun, @Status, @Created, @Updated, @Deleted)",
        new { workspace, model.Id, model.Experiment, model.Name, model.Type, model.SourceRun, model.Status, model.Created, model.Updated, model.Deleted });

    /// <summary>Sets what a logged model is; its id and experiment stay.</summary>
    public static void Restate(WriteScope scope, LoggedModelRow model) => scope.Execute(
        "UPDATE logged_models SET name = @Name, type = @Type, source_run = @SourceRun, status = @Status, created = @Created, updated = @Updated, deleted = @Deleted WHERE key = @Key",
        model);
}
