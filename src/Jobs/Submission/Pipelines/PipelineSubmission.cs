using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>Accepts pipelines: reads, compiles the whole tree, and writes it in one unit.</summary>
internal sealed class PipelineSubmission(IDatabase database, JobTable jobs, JobBirth birth, PipelineRoot root, StepProgress progress)
{
    /// <summary>The new pipeline, or everything that is wrong with it; then nothing was stored.</summary>
    public async Task<Outcome<Resource>> CreateAsync(Planning planning, ArmId id, JsonObject body, CancellationToken ct)
    {
        var properties = body["properties"]!.AsObject();
        var findings = planning.Findings;
        var head = new NewRunHead(CommandReader.Limited(properties, "displayName", findings), RunStatus.Running, findings.Texts(properties, "tags", "properties"));
        findings.Texts(properties, "properties", "properties");
        findings.Flag(properties, "isArchived", "properties");
        WithoutEngine.CheckPipeline(properties, findings);
        var taken = await jobs.NamesAsync(planning.Workspace, id.Name + "_", ct);
        var compiled = await root.CompileAsync(planning, properties, taken, ct);
        return findings.Any
            ? findings.Combined
            : await database.WriteAsync(scope => Write(scope, id, JobSubmission.Document(body, planning.Repeats?.Job), new Accepted(compiled.Plan, compiled.Steps, head), planning.Caller), ct);
    }

    private Resource Write(WriteScope scope, ArmId id, JsonObject document, Accepted accepted, Caller caller)
    {
        var written = birth.Document(scope, id, document, caller);
        JobWrites.Insert(scope, new NewJob(id, QueueRank.Default, JobStatus.Running, accepted.Plan));
        JobWrites.SetStarted(scope, id, scope.Now, []);
        birth.Run(scope, id, accepted.Plan, accepted.Head, parent: null);
        foreach (var step in accepted.Steps)
        {
            birth.Step(scope, step);
        }

        var row = JobWrites.Find(scope, id)!;
        StepProgress.Announce(scope, row, JobActions.Running, caller);
        StepWrites.AddLine(scope, id.Key, $"The pipeline {id.Name} has {accepted.Steps.Count} steps: {string.Join(", ", accepted.Steps.Take(20).Select(step => step.Name))}{(accepted.Steps.Count > 20 ? ", ..." : "")}.");
        progress.Begin(scope, row);
        return written;
    }

    private sealed record Accepted(JobPlan Plan, IReadOnlyList<PlannedStep> Steps, NewRunHead Head);
}
