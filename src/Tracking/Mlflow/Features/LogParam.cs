using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Logs a param, once: the same value again is fine, another is refused.</summary>
internal sealed class LogParam(RunAccess runs) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/log-parameter", "runs/log-param");

    public override string Action => "workspaces/metrics/resource/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var run = request.RunId();
        var param = MlflowLimits.Param(request);
        await runs.WriteAsync(call, run, (scope, row) => Refuse(RunData.LogParams(scope, row, [param]), row), ct);
        await call.WriteEmptyAsync(ct);
    }

    /// <summary>Throws when there is a change, which undoes the unit with everything else in it.</summary>
    public static void Refuse(ParamChange? change, RunRow run)
    {
        if (change is not null)
        {
            throw MlflowErrors.Invalid(
                $"Changing param values is not allowed. Param with key='{change.Name}' was already logged with value='{change.Old}' for run ID='{run.Id}'. Attempted logging new value '{change.New}'.");
        }
    }
}
