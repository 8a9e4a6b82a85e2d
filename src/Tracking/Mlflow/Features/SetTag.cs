using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Sets a tag; <c>mlflow.runName</c> renames the run, <c>mlflow.user</c> changes its user.</summary>
internal sealed class SetTag(RunAccess runs) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/set-tag");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var run = request.RunId();
        var tag = MlflowLimits.Tag(request);
        await runs.WriteAsync(call, run, (scope, row) => Set(scope, row, [tag]), ct);
        await call.WriteEmptyAsync(ct);
    }

    public static void Set(WriteScope scope, RunRow run, IReadOnlyList<(string Name, string Value)> tags)
    {
        RunData.SetTags(scope, run, tags);
        foreach (var (name, value) in tags)
        {
            if (name == MlflowTags.RunName)
            {
                RunStore.Rename(scope, run, value);
            }
            else if (name == MlflowTags.User)
            {
                scope.Execute("UPDATE runs SET user = @value WHERE key = @Key", new { run.Key, value });
            }
        }
    }
}

/// <summary>Deletes a tag.</summary>
internal sealed class DeleteTag(RunAccess runs) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/delete-tag");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (id, name) = (request.RunId(), request.RequiredText("key"));
        await runs.WriteAsync(
            call,
            id,
            (scope, run) =>
            {
                if (!RunData.DeleteTag(scope, run, name))
                {
                    throw MlflowErrors.NotFound($"No tag with name: {name} in run with id {run.Id}");
                }
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}
