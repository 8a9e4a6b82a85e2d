using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Reading and writing of logged models. A job's token writes to the models of its own runs.</summary>
internal sealed class LoggedModelAccess(IDatabase database, LoggedModelStore models)
{
    public static MlflowException NotFound(string id) => MlflowErrors.NotFound($"Logged model with ID '{id}' not found.");

    /// <summary>The model that the path names.</summary>
    public static string Id(MlflowCall call) => (string)call.Http.Request.RouteValues["model_id"]!;

    public async Task<LoggedModelRow> FindAsync(MlflowCall call, string id, CancellationToken ct) =>
        await database.ReadAsync(connection => LoggedModelStore.Find(connection, call.WorkspaceKey, id), ct) ?? throw NotFound(id);

    /// <summary>Changes the model in one unit and answers with it.</summary>
    public async Task<LoggedModelDetail> ChangeAsync(MlflowCall call, string id, Action<WriteScope, LoggedModelRow> change, CancellationToken ct)
    {
        var key = await database.WriteAsync(
            scope =>
            {
                var model = Find(scope, call, id);
                change(scope, model);
                scope.Append(Event(call, model, "write"));
                return model.Key;
            },
            ct);
        return await ReadAsync(key, ct);
    }

    public async Task<LoggedModelDetail> ReadAsync(long key, CancellationToken ct) =>
        (await database.ReadAsync(connection => LoggedModelStore.Read(connection, [key]), ct)) is [var model] ? model : throw MlflowErrors.NotFound("The model was deleted meanwhile.");

    /// <summary>The model, when the caller may write to it.</summary>
    public static LoggedModelRow Find(WriteScope scope, MlflowCall call, string id)
    {
        var model = LoggedModelStore.Find(scope, call.WorkspaceKey, id) ?? throw NotFound(id);
        if (model.SourceRun is { } run)
        {
            RunAccess.CheckJob(scope, call, run);
        }
        else
        {
            RunAccess.RefuseJob(call, "change models of no run");
        }

        return model;
    }

    /// <summary>Notes the points of a run that were measured on logged models.</summary>
    public void LogMetrics(WriteScope scope, MlflowCall call, RunRow run, IEnumerable<ModelPoint> points)
    {
        foreach (var point in points)
        {
            models.LogMetric(scope, LoggedModelStore.Find(scope, call.WorkspaceKey, point.Model) ?? throw NotFound(point.Model), run, point);
        }
    }

    public static NewEvent Event(MlflowCall call, LoggedModelRow model, string verb) => new(
        call.Caller.ObjectId,
        "Microsoft.MachineLearningServices/workspaces/experiments/models/" + verb,
        $"{call.Workspace.Id}/experiments/{model.ExperimentId}/models/{model.Id}");
}
