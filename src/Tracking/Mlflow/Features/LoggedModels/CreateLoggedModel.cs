using Zaffre.Database;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Mlflow.Features.LoggedModels;

/// <summary>Creates a logged model, PENDING until its files are there. One that a job makes without naming a run is of the job's run.</summary>
internal sealed class CreateLoggedModel(IDatabase database, LoggedModelAccess models) : MlflowOperation
{
    private const string Forbidden = "/:.%\"'";

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "logged-models");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var experimentId = request.RequiredText("experiment_id");
        var name = Name(request.Text("name"));
        var (type, sourceRun) = (request.Text("model_type"), request.Text("source_run_id"));
        var (tags, values) = (request.Objects("tags").Select(MlflowLimits.Tag).ToList(), request.Objects("params").Select(MlflowLimits.Param).ToList());
        var key = await database.WriteAsync(
            scope =>
            {
                var experiment = ExperimentStore.ById(scope, call.WorkspaceKey, experimentId) ?? throw MlflowErrors.NoExperiment(experimentId);
                ExperimentAccess.MustBeActive(experiment);
                var run = Source(scope, call, sourceRun);
                var model = LoggedModelStore.Insert(scope, call.WorkspaceKey, new LoggedModelRow { Experiment = experiment.Key, Name = name, Type = type, SourceRun = run });
                LoggedModelStore.SetTags(scope, model.Key, tags);
                LoggedModelStore.SetParams(scope, model.Key, values);
                scope.Append(LoggedModelAccess.Event(call, model, "write"));
                return model.Key;
            },
            ct);
        await LoggedModelWriter.AnswerAsync(call, await models.ReadAsync(key, ct), ct);
    }

    private static string? Source(WriteScope scope, MlflowCall call, string? run)
    {
        run ??= call.Caller.Job is { } job && RunAccess.InWorkspace(job, call.Workspace) ? job.Name : null;
        if (run is null)
        {
            RunAccess.RefuseJob(call, "create models in another workspace");
            return null;
        }

        return RunAccess.Find(scope, call, run).Id;
    }

    private static string Name(string? name) => name is null
        ? "model-" + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4))
        : name.Length <= MlflowLimits.Key && !name.Any(Forbidden.Contains)
            ? name
            : throw MlflowErrors.Invalid($"Invalid model name ('{(name.Length > 80 ? name[..80] + "..." : name)}') provided. Model name must be a non-empty string of at most {MlflowLimits.Key} characters and cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")");
}
