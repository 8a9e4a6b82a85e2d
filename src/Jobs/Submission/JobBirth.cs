using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission;

/// <summary>The first write of a job: document, row, run, token and event.</summary>
internal sealed class JobBirth(IResources resources, IRuns runs, ITokens tokens, JobTickets tickets)
{
    /// <summary>A command that was submitted by itself.</summary>
    public Resource Command(WriteScope scope, ArmId id, JsonObject document, (CommandSpec Spec, JobPlan Plan) job, Caller caller)
    {
        var written = Document(scope, id, document, caller);
        var (spec, plan) = job;
        JobWrites.Insert(scope, new NewJob(id, spec.Rank, JobStatus.Queued, plan));
        var run = Run(scope, id, plan, new NewRunHead(spec.DisplayName, RunStatus.Queued, spec.Tags), parent: null);
        var token = tokens.IssueForJob(scope, id);
        scope.Append(new NewEvent(caller.ObjectId, JobActions.Queued, id.Value, new JsonObject { ["compute"] = plan.Compute, ["rank"] = spec.Rank, ["experiment"] = plan.Experiment }.ToJsonString(ZaffreJson.Options)));
        scope.OnCommitted(() => tickets.Keep(id, new JobTicket(token, run.ExperimentId)));
        return written;
    }

    /// <summary>The document of a new job; a Conflict problem when its name is taken.</summary>
    public Resource Document(WriteScope scope, ArmId id, JsonObject document, Caller caller)
    {
        if (resources.Find(scope, id) is not null)
        {
            throw new ProblemException(ArmErrors.Conflict($"Another request has just created the job '{id.Name}'.", "JobAlreadyExists"));
        }

        RequireFree(scope, id);
        return resources.Put(scope, id, document, caller);
    }

    /// <summary>Throws the conflict when a job has the name, a step among them.</summary>
    public static void RequireFree(WriteScope scope, ArmId id)
    {
        if (JobWrites.Find(scope, id) is { } taken)
        {
            throw new ProblemException(taken.Parent is { } parent
                ? ArmErrors.Conflict($"The job '{id.Name}' is a step of the pipeline '{new ArmId(parent).Name}', and cannot be changed by itself.", "JobIsStep")
                : ArmErrors.Conflict($"Another request has just created the job '{id.Name}'.", "JobAlreadyExists"));
        }
    }

    /// <summary>A step of a pipeline: row and run.</summary>
    public void Step(WriteScope scope, PlannedStep step)
    {
        RequireFree(scope, step.Id);
        JobWrites.Insert(scope, new NewJob(step.Id, step.Rank, JobStatus.NotStarted, step.Plan) { Step = new NewStep(step.Parent, step.Name, step.Needs, step.Document) });
        var tags = (step.Document.Object("tags") ?? []).ToDictionary(tag => tag.Key, tag => ZaffreJson.Text(tag.Value) ?? "", StringComparer.Ordinal);
        Run(scope, step.Id, step.Plan, new NewRunHead(step.Document.Text("displayName"), RunStatus.NotStarted, tags), step.Parent.Name);
    }

    /// <summary>The run of a job.</summary>
    public Run Run(WriteScope scope, ArmId id, JobPlan plan, NewRunHead head, string? parent) => runs.Create(scope, new NewRun
    {
        Workspace = JobRow.WorkspaceOf(id),
        Id = id.Name,
        Experiment = plan.Experiment,
        DisplayName = head.DisplayName,
        Status = head.Status,
        Parent = parent,
        Type = plan.Pipeline is not null ? "azureml.PipelineRun" : parent is null ? "azureml.scriptrun" : "azureml.StepRun",
        User = plan.Actor.Name,
        Target = plan.Compute.Length == 0 ? null : new ArmId(plan.Compute).Name,
        Tags = head.Tags,
    });
}

/// <summary>What a run is called and where it begins.</summary>
internal sealed record NewRunHead(string? DisplayName, RunStatus Status, IReadOnlyDictionary<string, string> Tags);
