using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features.LoggedModels;

/// <summary>One logged model.</summary>
internal sealed class GetLoggedModel(LoggedModelAccess models) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "logged-models/{model_id}");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var row = await models.FindAsync(call, LoggedModelAccess.Id(call), ct);
        await LoggedModelWriter.AnswerAsync(call, await models.ReadAsync(row.Key, ct), ct);
    }
}

/// <summary>Says that the files are there, or that they failed to come.</summary>
internal sealed class FinalizeLoggedModel(LoggedModelAccess models) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("PATCH", "logged-models/{model_id}");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var status = (await call.ReadAsync(ct)).RequiredText("status");
        var wanted = status switch
        {
            "LOGGED_MODEL_READY" or "2" => LoggedModelStatus.Ready,
            "LOGGED_MODEL_UPLOAD_FAILED" or "3" => LoggedModelStatus.UploadFailed,
            _ => throw MlflowErrors.Invalid($"Invalid model status: {status}. Expected statuses: [LOGGED_MODEL_READY, LOGGED_MODEL_UPLOAD_FAILED]."),
        };
        var changed = await models.ChangeAsync(call, LoggedModelAccess.Id(call), (scope, model) => LoggedModelStore.SetStatus(scope, model.Key, wanted), ct);
        await LoggedModelWriter.AnswerAsync(call, changed, ct);
    }
}

/// <summary>Deletes a logged model; its files stay with the artifacts of the workspace.</summary>
internal sealed class DeleteLoggedModel(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("DELETE", "logged-models/{model_id}");

    public override string Action => "workspaces/experiments/runs/delete";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        RunAccess.RefuseJob(call, "delete logged models");
        await database.WriteAsync(
            scope =>
            {
                var model = LoggedModelAccess.Find(scope, call, LoggedModelAccess.Id(call));
                LoggedModelStore.SetDeleted(scope, model.Key);
                scope.Append(LoggedModelAccess.Event(call, model, "delete"));
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Sets tags.</summary>
internal sealed class SetLoggedModelTags(LoggedModelAccess models) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("PATCH", "logged-models/{model_id}/tags");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var tags = (await call.ReadAsync(ct)).Objects("tags").Select(MlflowLimits.Tag).ToList();
        await LoggedModelWriter.AnswerAsync(call, await models.ChangeAsync(call, LoggedModelAccess.Id(call), (scope, model) => LoggedModelStore.SetTags(scope, model.Key, tags), ct), ct);
    }
}

/// <summary>Deletes a tag.</summary>
internal sealed class DeleteLoggedModelTag(LoggedModelAccess models) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("DELETE", "logged-models/{model_id}/tags/{tag_key}");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var (id, name) = (LoggedModelAccess.Id(call), (string)call.Http.Request.RouteValues["tag_key"]!);
        await models.ChangeAsync(
            call,
            id,
            (scope, model) =>
            {
                if (!LoggedModelStore.DeleteTag(scope, model.Key, name))
                {
                    throw MlflowErrors.NotFound($"No tag with key '{name}' found for model with ID '{id}'.");
                }
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Logs params on a model.</summary>
internal sealed class LogLoggedModelParams(LoggedModelAccess models) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "logged-models/{model_id}/params");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var values = (await call.ReadAsync(ct)).Objects("params").Select(MlflowLimits.Param).ToList();
        await models.ChangeAsync(call, LoggedModelAccess.Id(call), (scope, model) => LoggedModelStore.SetParams(scope, model.Key, values), ct);
        await call.WriteEmptyAsync(ct);
    }
}
