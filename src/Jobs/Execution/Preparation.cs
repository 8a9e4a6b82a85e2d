using Zaffre.Compute;
using Zaffre.Identity;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking;

namespace Zaffre.Jobs.Execution;

/// <summary>A job ready to start: its tasks in order.</summary>
internal sealed record PreparedJob(IReadOnlyList<TaskSpec> Specs, IReadOnlyList<string> Explanation, EnvironmentLock? Lock);

/// <summary>Makes a plan real: environment, files, variables, and the command with its expressions replaced.</summary>
internal sealed class Preparation(JobEnvironments environments, IStaging staging, IBlobStore store, IComputes computes, IRuns runs, ITokens tokens, JobTickets tickets, JobVariables variables, GangPorts ports, IGpus gpus, MltableInputs tables)
{
    /// <summary>The task to start, or why there is none. Doing it again after a crash gives the same task.</summary>
    public async Task<Outcome<PreparedJob>> PrepareAsync(JobRow job, JobPlan plan, CancellationToken ct)
    {
        if (!(await computes.FindAsync(job.Workspace, plan.Compute, ct)).TryGet(out var target, out var gone))
        {
            return gone;
        }

        if (!(await environments.ResolveAsync(job, plan, target.Name, ct)).TryGet(out var environment, out var unsatisfied))
        {
            return unsatisfied;
        }

        if (!StagingOf(job, plan).TryGet(out var requests, out var missing))
        {
            return missing;
        }

        if (!(await tables.EvaluateAsync(job.Workspace, plan, requests[0].Inputs, ct)).TryGet(out var inputs, out missing))
        {
            return missing;
        }

        var ticket = tickets.Take(job.JobId) ?? await NewTicketAsync(job, ct);
        var gang = plan.Gang is null ? null : new GangPreparation(plan.Gang, ports.Choose(GangVariables.PortsOf(plan.Gang)));
        var specs = new List<TaskSpec>();
        foreach (var (request, processes) in requests.Zip(Gang.TasksOf(plan).GroupBy(member => member.Instance)))
        {
            if (!(await staging.PrepareAsync(request with { Environment = environment, Inputs = inputs }, ct)).TryGet(out var staged, out missing))
            {
                return missing;
            }

            var spec = SpecOf(job, plan, ticket, staged, environment.Shell);
            spec = spec with
            {
                Environment = JobVariables.Merge(JobVariables.Seed(job, plan), staged.Environment, environment.Variables, staged.Python, spec.Environment),
                Binds = [.. environment.Binds, .. spec.Binds],
                Limits = target.NodeLimits with { SharedMemoryBytes = plan.SharedMemory },
                Gpus = gpus.Take(request.Id, target.Gpus * (plan.Gang is { Kind: GangKind.Mpi } ? plan.Gang.Instances : 1)),
            };
            specs.AddRange(gang is null ? [spec] : processes.Select((member, i) => gang.Of(spec, staged, member, i)));
        }

        return new PreparedJob(specs, [.. environment.Explanation, .. gang?.Explanation ?? []], environment.Lock);
    }

    private TaskSpec SpecOf(JobRow job, JobPlan plan, JobTicket ticket, StagedTask staged, string shell)
    {
        var (inputs, outputs) = Values(plan, staged);
        var (own, binds) = variables.Of(job, plan, ticket, inputs, outputs);
        return new TaskSpec
        {
            Id = job.TaskId,
            Command = [shell, "-c", Expressions.Substitute(plan.Command, inputs, outputs)],
            WorkingDirectory = staged.WorkingDirectory,
            LogPath = staged.LogPath,
            Environment = JobVariables.Merge(own, plan.Variables.ToDictionary(
                pair => pair.Key, pair => Expressions.Substitute(pair.Value, inputs, outputs), StringComparer.Ordinal)),
            Binds = [.. Writable(plan, staged), .. binds],
        };
    }

    /// <summary>The staging of a job, one for each instance, the same at every call; null places are reported as problems.</summary>
    public Outcome<IReadOnlyList<StagingRequest>> StagingOf(JobRow job, JobPlan plan)
    {
        var problems = new List<Problem>();
        var inputs = plan.Inputs.Where(pair => pair.Value.Direct is null).Select(pair => Input(pair.Key, pair.Value, problems)).OfType<TaskInput>().ToArray();
        var outputs = plan.Outputs.Where(pair => pair.Value.Mode != OutputMode.Direct).Select(pair => Output(pair.Key, pair.Value, problems)).OfType<TaskOutput>().ToArray();
        var code = plan.Code is { } place ? store.TryGetLocalPath(place) : null;
        if (plan.Code is { } lost && code is null)
        {
            problems.Add(new Problem(ProblemKind.Invalid, "InputNotFound", $"The job's code is gone: nothing lies at {lost}.") { Target = "code" });
        }

        if (!store.EnsureFolder(plan.Artifacts).TryGet(out var artifacts, out var unwritable))
        {
            problems.Add(unwritable);
        }

        if (problems.Count > 0)
        {
            return Problem.Combine(problems);
        }

        var request = new StagingRequest { Id = job.TaskId, CodePath = code, ArtifactPath = artifacts!, Inputs = inputs, Outputs = outputs };
        return plan.Gang is null ? new[] { request } : GangPreparation.StagingOf(request, plan);
    }

    private TaskInput? Input(string name, PlannedInput input, List<Problem> problems)
    {
        if (input.Download is not null)
        {
            return new TaskInput(name) { Remote = input.Download, Copy = input.Mode == InputMode.Download };
        }

        if (input.Blob is { } blob && store.TryGetLocalPath(blob) is { } path)
        {
            return new TaskInput(name) { LocalPath = path, Copy = input.Mode is InputMode.Download or InputMode.EvalDownload };
        }

        problems.Add(new Problem(ProblemKind.Invalid, "InputNotFound", $"The input '{name}' has nothing to read: there is no file or folder at {input.Value}.") { Target = $"inputs.{name}" });
        return null;
    }

    private TaskOutput? Output(string name, PlannedOutput output, List<Problem> problems)
    {
        var slash = output.Blob.Name.LastIndexOf('/');
        var folder = output.IsFile ? output.Blob.At(slash < 0 ? "" : output.Blob.Name[..slash]) : output.Blob;
        if (store.EnsureFolder(folder).TryGet(out var path, out var problem))
        {
            return new TaskOutput(name, output.IsFile ? Path.Combine(path, output.Blob.Name[(slash + 1)..]) : path, output.IsFile) { Late = output.Mode == OutputMode.Upload };
        }

        problems.Add(problem with { Target = $"outputs.{name}" });
        return null;
    }

    private static (Dictionary<string, string> Inputs, Dictionary<string, string> Outputs) Values(JobPlan plan, StagedTask staged) => (
        plan.Inputs.ToDictionary(pair => pair.Key, pair => pair.Value.Direct ?? staged.InputPaths[pair.Key], StringComparer.Ordinal),
        plan.Outputs.ToDictionary(pair => pair.Key, pair => pair.Value.Mode == OutputMode.Direct ? pair.Value.Uri : staged.OutputPaths[pair.Key], StringComparer.Ordinal));

    private static IEnumerable<TaskBind> Writable(JobPlan plan, StagedTask staged)
    {
        var writable = plan.Inputs.Where(pair => pair.Value.Mode == InputMode.Writable).Select(pair => staged.InputPaths[pair.Key]).ToHashSet(StringComparer.Ordinal);
        return staged.Binds.Select(bind => writable.Contains(bind.Target) ? bind with { Writable = true } : bind);
    }

    private async Task<JobTicket> NewTicketAsync(JobRow job, CancellationToken ct) => new(
        await tokens.IssueForJobAsync(job.JobId, ct),
        (await runs.FindAsync(job.Workspace, job.Name, ct))?.ExperimentId ?? "0");
}
