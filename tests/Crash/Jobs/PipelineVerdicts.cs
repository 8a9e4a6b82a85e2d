using Zaffre.Tests.Http.Jobs.Model;

namespace Zaffre.Tests.Crash.Jobs;

/// <summary>Holds pipelines that have ended against the rules: what the model says of each, and what each step did, or whose outputs it took.</summary>
internal sealed class PipelineVerdicts(CrashingPipelines pipelines)
{
    private const int Tries = 3;

    private readonly Dictionary<string, (SentPipeline Pipeline, ModelNode Node, FoundJob Job)> steps = new(StringComparer.Ordinal);
    private readonly Queue<SentPipeline> open = new();
    private readonly HashSet<string> lost = new(StringComparer.Ordinal);
    private int retried;
    private int gangs;

    /// <summary>How many pipelines the server knows.</summary>
    public int Accepted { get; private set; }

    /// <summary>How many steps were reused.</summary>
    public int Reused => steps.Values.Count(step => step.Job.ReusedFrom is not null);

    /// <summary>To be checked next time.</summary>
    public void Await(SentPipeline pipeline) => open.Enqueue(pipeline);

    public override string ToString() =>
        $"{Accepted} pipelines, {steps.Count} commands: {steps.Values.Count(step => step.Job is { Status: "Completed", ReusedFrom: null })} ran well ({gangs} of two processes), {Reused} were reused, "
        + $"{steps.Values.Count(step => step.Job.Status == "Failed")} failed, {steps.Values.Count(step => step.Job.Status == "Canceled")} were canceled; {retried} starts were tried again, {lost.Count} outputs deleted";

    /// <summary>Waits until everything has ended, and checks it.</summary>
    public async Task CheckAsync()
    {
        var ended = new List<(SentPipeline Pipeline, string What)>();
        while (open.TryDequeue(out var pipeline))
        {
            if (await CheckAsync(pipeline) is { } what)
            {
                Accepted++;
                ended.Add((pipeline, what));
            }
        }

        await CheckProcessesAsync();

        // One may have the outputs of any other.
        foreach (var (pipeline, what) in ended)
        {
            foreach (var step in steps.Values.Where(step => step.Pipeline == pipeline).ToArray())
            {
                await CheckStepAsync(step.Pipeline, step.Node, step.Job, what);
            }
        }
    }

    /// <summary>Deletes an output that others could have; everything must have ended.</summary>
    public void Lose(Random random)
    {
        var candidates = steps.Where(step => step.Value is { Job: { Status: "Completed", ReusedFrom: null }, Node.Step.Variant: > 0 } && !lost.Contains(step.Key)).ToArray();
        if (candidates.Length > 0)
        {
            var (name, step) = candidates[random.Next(candidates.Length)];
            pipelines.Delete(step.Job, "out");
            lost.Add(name);
        }
    }

    /// <summary>Null when the server never accepted it.</summary>
    private async Task<string?> CheckAsync(SentPipeline pipeline)
    {
        if (await pipelines.EndAsync(pipeline.Name) is not { } end)
        {
            Assert.False(pipeline.CancelAccepted);
            return null;
        }

        var model = new PipelineModel(pipeline.Case with { Force = true }, pipeline.Name);
        var found = new Dictionary<string, FoundJob>(StringComparer.Ordinal);
        foreach (var job in await pipelines.TreeAsync(pipeline.Name))
        {
            found[job] = (await pipelines.FindAsync(job))!;
        }

        var what = $"{pipeline.Case}\nfails: {string.Join(" ", pipeline.Failing)}; hit: {string.Join(" ", pipeline.Hit)}; cancel sent {pipeline.CancelSent}, accepted {pipeline.CancelAccepted}\n"
            + string.Join("\n", found.Select(pair => $"{pair.Key}: {pair.Value}"));
        Assert.All(found.Values, job => Assert.True(job.Status is "Completed" or "Failed" or "Canceled", what));
        Assert.True(!pipeline.CancelAccepted || end.Status == "Canceled", "a cancellation was lost: " + what);
        Assert.True(end.Status != "Canceled" || pipeline.CancelSent, what);
        Play(pipeline, model, found);
        if (end.Status != "Canceled" && pipeline.Case.GoOn)
        {
            CheckAll(pipeline, model, found, what);
        }
        else
        {
            CheckSome(pipeline, model, found, what);
        }

        foreach (var node in model.Root.All.Where(node => node.IsCommand && found.ContainsKey(node.Name)))
        {
            steps[node.Name] = (pipeline, node, found[node.Name]);
        }

        Assert.Equal((pipeline.Name, end.Status == "Completed" ? 1 : 0), (pipeline.Name, await pipelines.VersionsAsync(pipeline.Name)));
        Assert.Equal(await pipelines.LogAsync(pipeline.Name), await pipelines.LogFileAsync(pipeline.Name, "logs/azureml/executionlogs.txt"));
        return what;
    }

    /// <summary>What ran for jobs that have ended is gone a moment later.</summary>
    private async Task CheckProcessesAsync()
    {
        IReadOnlyList<(string Pid, string Job)> left = [];
        for (var look = 0; look < 100 && (left = pipelines.Processes()).Count > 0; look++)
        {
            await Task.Delay(100);
        }

        Assert.True(left.Count == 0, $"everything has ended, and these processes are left: {string.Join(", ", left.Select(process => $"{process.Pid} of {process.Job}"))}");
    }

    /// <summary>
    /// Lets every command of the model end as it did, or as it would have. Failures come last: in a pipeline that stops at the first, whatever completed did so before.
    /// </summary>
    private static void Play(SentPipeline pipeline, PipelineModel model, Dictionary<string, FoundJob> found)
    {
        bool Fails(ModelNode node) => pipeline.Failing.Contains(node.Path)
            || (found.GetValueOrDefault(node.Name) is { Status: "Failed" } job && (pipeline.Hit.Contains(node.Name) || job.Code == "LaunchFailed"));
        while (model.Running.OrderBy(Fails).FirstOrDefault() is { } next)
        {
            model.Exit(next, Fails(next) ? 3 : 0);
        }
    }

    /// <summary>Nothing depends on time: the model says everything, given how the steps ended that were killed.</summary>
    private static void CheckAll(SentPipeline pipeline, PipelineModel model, Dictionary<string, FoundJob> found, string what)
    {
        Assert.True(model.Root.All.Select(node => node.Name).Order(StringComparer.Ordinal).SequenceEqual(found.Keys.Order(StringComparer.Ordinal)), $"other steps: {what}");
        foreach (var node in model.Root.All)
        {
            Assert.True(node.Status == found[node.Name].Status, $"{node.Name} should be {node.Status}\n{what}");
            Assert.True(node.Code == found[node.Name].Code || pipeline.Hit.Contains(node.Name) || found[node.Name].Code == "LaunchFailed", $"{node.Name} should have the code {node.Code}\n{what}");
        }
    }

    /// <summary>What runs beside a failure or a cancellation may end before it is ended: but nothing completes without what it needs.</summary>
    private static void CheckSome(SentPipeline pipeline, PipelineModel model, Dictionary<string, FoundJob> found, string what)
    {
        bool Whole(ModelNode node) => found.GetValueOrDefault(node.Name) is { Status: "Completed" } or { Code: "BranchNotTaken" };
        foreach (var node in model.Root.All.Where(node => found.ContainsKey(node.Name) && found[node.Name].Status != "Canceled"))
        {
            Assert.True(node.Parent is null || node.Needs.All(need => found.GetValueOrDefault(need.Name) is { Status: "Completed" }), $"{node.Name} ran without what it needs\n{what}");
            Assert.True(!node.IsCommand || found[node.Name] is { Status: "Completed" } or { Code: "LaunchFailed" } || pipeline.Failing.Contains(node.Path) || pipeline.Hit.Contains(node.Name), $"{node.Name} failed\n{what}");
            Assert.True(node.Level is null || (found[node.Name].Status == "Completed") == node.Children.All(Whole), $"{node.Name} does not fit its steps\n{what}");
        }
    }

    /// <summary>A command ran once at most; it has a whole log and output when nobody disturbed it, or those of the run that it stands for.</summary>
    private async Task CheckStepAsync(SentPipeline pipeline, ModelNode node, FoundJob job, string what)
    {
        var log = await pipelines.LogAsync(node.Name);
        if (job.ReusedFrom is not null)
        {
            Assert.True(log.Length == 0, $"{node.Name} was reused and has a log: {log}\n{what}");
            await CheckReusedAsync(pipeline, node, job, what);
            return;
        }

        await CheckTriesAsync(node, job, what);
        var whole = CrashComponents.LogOf(node.Step!.Variant);
        var undisturbed = job.Status == "Completed" || (job.Status == "Failed" && !pipeline.Hit.Contains(node.Name) && job.Code != "LaunchFailed");
        Assert.True(undisturbed ? log == whole : IsBeginning(log, whole), $"the log of {node.Name} is not what it prints:\n{log}\n{what}");
        if (undisturbed)
        {
            Assert.Equal(PipelineModel.Output(node), await pipelines.OutputAsync(job, "out"));
        }

        for (var rank = 0; rank < (node.Step.Gang ? 2 : 1); rank++)
        {
            var ran = await pipelines.OutputAsync(job, "ledger", $"runs{rank}") ?? "";
            var must = job.Status == "Completed" || (undisturbed && rank == 0);
            Assert.True(ran == node.Name + "\n" || (!must && ran.Length == 0), $"process {rank} of {node.Name} ran otherwise than once:\n{ran}\n{what}");
            Assert.True(!must || job.Status != "Completed" || rank == 0 || await pipelines.LogFileAsync(node.Name, $"user_logs/std_log_process_{rank}.txt") == whole, $"the log of process {rank} of {node.Name} is not whole\n{what}");
        }

        gangs += node.Step.Gang && job.Status == "Completed" ? 1 : 0;
    }

    /// <summary>Every try is told once; and only what never began is tried again.</summary>
    private async Task CheckTriesAsync(ModelNode node, FoundJob job, string what)
    {
        Assert.InRange(job.Attempt, 1, Tries);
        Assert.True(job.Code != "LaunchFailed" || job.Attempt == Tries || node.Step!.Gang, $"{node.Name} was not tried often enough\n{what}");
        if (job.Attempt > 1)
        {
            retried += job.Attempt - 1;
            var told = await pipelines.LogFileAsync(node.Name, "system_logs/zaffre.txt") ?? "";
            for (var attempt = 1; attempt < job.Attempt; attempt++)
            {
                Assert.True(told.Split($"try {attempt} of {Tries} failed before the command began").Length == 2, $"{node.Name} does not tell try {attempt} once:\n{told}\n{what}");
            }
        }
    }

    /// <summary>The original ran, completed, and saw the same; its outputs are there and are the step's.</summary>
    private async Task CheckReusedAsync(SentPipeline pipeline, ModelNode node, FoundJob job, string what)
    {
        Assert.True(job.Status == "Completed" && !pipeline.Case.Force && node.Step!.Variant > 0, $"{node.Name} must not be reused\n{what}");
        Assert.True(steps.TryGetValue(job.ReusedFrom!, out var original), $"nobody knows {job.ReusedFrom}, whose outputs {node.Name} has\n{what}");
        Assert.True(original.Job is { Status: "Completed", ReusedFrom: null }, $"{node.Name} has the outputs of {job.ReusedFrom}, which is {original.Job}\n{what}");
        var same = PipelineModel.Key(original.Node) == PipelineModel.Key(node) && original.Pipeline.Case.Salt == pipeline.Case.Salt && original.Node.Step!.Gang == node.Step!.Gang;
        Assert.True(same && !original.Pipeline.Failing.Contains(original.Node.Path), $"{node.Name} has the outputs of {job.ReusedFrom}, which saw something else\n{what}");
        Assert.True(!lost.Contains(job.ReusedFrom!), $"{node.Name} has the outputs of {job.ReusedFrom}, which were deleted before\n{what}");
        foreach (var output in (string[])["out", "ledger", "flag"])
        {
            Assert.Equal((node.Name, original.Job.PlaceOf(output)), (node.Name, job.PlaceOf(output)));
        }

        Assert.Equal(PipelineModel.Output(node), await pipelines.OutputAsync(job, "out"));
        Assert.Equal(job.ReusedFrom + "\n", await pipelines.OutputAsync(job, "ledger", "runs0"));
    }

    /// <summary>Whether a log is the beginning of what a command prints, but for what the shell says of its end.</summary>
    private static bool IsBeginning(string log, string whole) => whole.StartsWith(
        string.Concat(log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("/bin/bash:", StringComparison.Ordinal)).Select(line => line + "\n")), StringComparison.Ordinal);
}
