using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>The last write of a job: row, outputs and their assets, run, token, operation and event, and what its end means to a pipeline.</summary>
internal sealed class JobEnding(IRuns runs, ITokens tokens, IAssets assets, IOperations operations, StepProgress steps)
{
    /// <summary>Every state that is no end.</summary>
    public static readonly string[] Alive =
        [JobStatus.NotStarted, JobStatus.Queued, JobStatus.Preparing, JobStatus.Running, JobStatus.Finalizing, JobStatus.CancelRequested];

    /// <summary>As <see cref="End"/>; does nothing to a job that has ended or is gone.</summary>
    public void EndNow(WriteScope scope, JobRow job, Verdict verdict, IReadOnlyList<PublishedOutput> outputs)
    {
        // A pipeline that was stopped after it was judged is judged again: the unit that stopped it announced its end anew.
        if (JobWrites.Find(scope, job.JobId) is { } present && present.Seq == job.Seq && !JobStatus.IsTerminal(present.Status) && !(present is { IsPipeline: true, Parent: null } && present.Stop != job.Stop))
        {
            End(scope, present, verdict, outputs);
        }
    }

    /// <summary>Writes the end, and moves on the pipeline that the job is a step of.</summary>
    public void End(WriteScope scope, JobRow job, Verdict verdict, IReadOnlyList<PublishedOutput> outputs)
    {
        var plan = job.ReadPlan();
        plan = Place(scope, job, plan, outputs);
        foreach (var output in outputs)
        {
            var asset = verdict.Status == JobStatus.Completed ? Register(scope, job, plan, output) : null;
            JobWrites.SetDigest(scope, job.JobId, output.Name, output.Digest, (asset?.Value, output.Value));
        }

        JobWrites.Move(scope, job.JobId, Alive, verdict.Status);
        JobWrites.SetEnd(scope, job.JobId, verdict.ExitCode, verdict.Code, verdict.Message);
        if (verdict.Warnings.Count > 0)
        {
            JobWrites.SetWarnings(scope, job.JobId, verdict.Warnings);
        }

        if (job.Started is not null && plan.Outputs.Count > 0)
        {
            runs.SetOutputs(scope, job.Workspace, job.Name, [.. plan.Outputs.Select(output =>
                new RunOutput(output.Key, OutputAssets.IdOf(plan.Location, plan.WorkspaceId, job.Name, output.Key), JobTypes.OnWire(output.Value.Type)))]);
        }

        if (verdict.Usage is { } usage)
        {
            UsageTable.Set(scope, job.JobId, usage);
        }

        var error = verdict.Code is null ? null : new RunError(verdict.Code, verdict.Message ?? verdict.Code);
        runs.SetStatus(scope, job.Workspace, job.Name, Enum.Parse<RunStatus>(verdict.Status), error);
        tokens.RevokeJob(scope, job.JobId);
        if (job.CancelOperation is { } operation)
        {
            operations.Succeed(scope, operation);
        }

        StepProgress.Announce(scope, job, ActionOf(verdict), ("exitCode", verdict.ExitCode), ("code", verdict.Code));
        if (verdict.LastLine is { } line)
        {
            StepWrites.AddRaw(scope, job.JobId.Key, line);
        }

        steps.Ended(scope, job, verdict);
    }

    /// <summary>The plan with the outputs where they lie.</summary>
    private static JobPlan Place(WriteScope scope, JobRow job, JobPlan plan, IReadOnlyList<PublishedOutput> outputs)
    {
        var moved = outputs.Where(output => output.Place is not null).ToDictionary(output => output.Name, output => output.Place!, StringComparer.Ordinal);
        if (moved.Count == 0)
        {
            return plan;
        }

        var placed = plan with { Outputs = plan.Outputs.ToDictionary(pair => pair.Key, pair => moved.GetValueOrDefault(pair.Key) ?? pair.Value, StringComparer.Ordinal) };
        var document = StepWrites.Document(scope, job.JobId);
        foreach (var (name, place) in moved)
        {
            StepWrites.SetPlace(scope, job.JobId, name, place.Uri);
            if (document?["outputs"]?[name] is JsonObject shown)
            {
                shown["uri"] = place.Uri;
            }
        }

        StepWrites.SetPlan(scope, job.JobId, placed, document);
        return placed;
    }

    private static string ActionOf(Verdict verdict) => verdict.Status switch
    {
        JobStatus.Completed => JobActions.Completed,
        JobStatus.Canceled => JobActions.Canceled,
        _ => JobActions.Failed,
    };

    private ArmId? Register(WriteScope scope, JobRow job, JobPlan plan, PublishedOutput output)
    {
        var planned = plan.Outputs[output.Name];
        if (planned.AssetName is null)
        {
            return null;
        }

        var model = JobTypes.IsModel(planned.Type);
        var properties = new JsonObject
        {
            [model ? "modelType" : "dataType"] = planned.Type,
            [model ? "modelUri" : "dataUri"] = planned.Uri,
            ["isAnonymous"] = false,
            ["isArchived"] = false,
            ["properties"] = new JsonObject(),
            ["tags"] = new JsonObject(),
        };
        if (model)
        {
            properties["jobName"] = job.Name;
        }

        var actor = new Caller(plan.Actor.ObjectId, plan.Actor.Name, plan.Actor.Type, plan.Actor.TenantId);
        return assets.Register(scope, job.Workspace, new NewAsset(model ? AssetType.Model : AssetType.Data, planned.AssetName, planned.AssetVersion, properties), actor);
    }
}
