using Zaffre.Kernel;
using Zaffre.Tracking;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.History;

namespace Zaffre.Tests.Unit.Tracking;

public sealed class RunStoreTests : IDisposable
{
    private readonly TrackingFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task A_run_starts_when_it_first_runs_and_ends_once()
    {
        await fixture.CreateAsync("job");
        Assert.Null((await FindAsync("job")).Started);
        var began = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
        Assert.True(await SetAsync("job", RunStatus.Running, at: began));
        Assert.True(await SetAsync("job", RunStatus.Finalizing, at: began.AddSeconds(5)));
        Assert.True(await SetAsync("job", RunStatus.Failed, new RunError("UserError", "exit code 1"), began.AddSeconds(9)));
        Assert.False(await SetAsync("job", RunStatus.Completed));
        var run = await FindAsync("job");
        Assert.Equal((RunStatus.Failed, began, began.AddSeconds(9)), (run.Status, run.Started, run.Ended));
        Assert.Equal(new RunError("UserError", "exit code 1"), run.Error);
    }

    [Fact]
    public async Task An_id_is_taken_whatever_its_case_and_a_failed_creation_leaves_nothing()
    {
        await fixture.CreateAsync("Job");
        var refused = await Assert.ThrowsAsync<ProblemException>(() => fixture.CreateAsync("jOB", "another"));
        Assert.Equal("RunAlreadyExists", refused.Problem.Code);
        Assert.Null(await fixture.Experiments.FindAsync(TrackingFixture.Workspace, "another", default));
        Assert.Equal("Job", (await FindAsync("JOB")).Id);
    }

    [Fact]
    public async Task Children_come_in_pages_oldest_first()
    {
        await fixture.CreateAsync("p");
        foreach (var i in Enumerable.Range(0, 7))
        {
            await fixture.CreateAsync("c" + i, parent: "p");
        }

        var seen = new List<string>();
        string? next = null;
        do
        {
            var page = await fixture.Runs.ChildrenAsync(TrackingFixture.Workspace, "p", next, 3, default);
            seen.AddRange(page.Items.Select(run => run.Id));
            next = page.Next;
        }
        while (next is not null);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => "c" + i), seen);
    }

    [Fact]
    public async Task An_experiment_is_made_once_and_restored_when_a_job_wants_it()
    {
        var first = await fixture.CreateAsync("a", "x");
        var second = await fixture.CreateAsync("b", "x");
        Assert.Equal(first.ExperimentId, second.ExperimentId);
        await fixture.Database.WriteAsync(scope => { ExperimentStore.SetDeleted(scope, long.Parse(first.ExperimentId), deleted: true); return true; }, default);
        Assert.True((await FindAsync("a")).Deleted);
        await fixture.CreateAsync("c", "x");
        Assert.False((await FindAsync("a")).Deleted);
    }

    [Fact]
    public async Task Deleting_a_workspace_deletes_its_runs_and_deleting_a_job_its_own()
    {
        await fixture.CreateAsync("a");
        await fixture.CreateAsync("b");
        var deletion = new RunDeletion(fixture.Workspaces);
        await fixture.Database.WriteAsync(scope => { deletion.Delete(scope, TrackingFixture.Workspace.Child("jobs", "A")); return true; }, default);
        Assert.Null(await fixture.Runs.FindAsync(TrackingFixture.Workspace, "a", default));
        Assert.NotNull(await fixture.Runs.FindAsync(TrackingFixture.Workspace, "b", default));
        await fixture.Database.WriteAsync(scope => { deletion.Delete(scope, TrackingFixture.Workspace.Id); return true; }, default);
        Assert.Null(await fixture.Runs.FindAsync(TrackingFixture.Workspace, "b", default));
        Assert.NotNull(await fixture.CreateAsync("a"));
    }

    [Fact]
    public async Task Outputs_come_back_and_models_are_reported_as_folders()
    {
        await fixture.CreateAsync("a");
        RunOutput[] outputs = [new("m", "azureml://a", "mlflow_model"), new("f", "azureml://b", "uri_file"), new("t", "azureml://c", "mltable"), new("d", "azureml://d", "uri_folder")];
        await fixture.Database.WriteAsync(scope => { fixture.Runs.SetOutputs(scope, TrackingFixture.Workspace, "a", outputs); return true; }, default);
        var read = await fixture.Runs.OutputsAsync(TrackingFixture.Workspace, "a", default);
        Assert.Equal(outputs, read);
        Assert.Equal(["UriFolder", "UriFile", "MLTable", "UriFolder"], read.Select(RunHistory.TypeOf));
    }

    [Fact]
    public async Task A_run_that_ended_unseen_shows_Finalizing_once_and_only_while_it_is_fresh()
    {
        await fixture.CreateAsync("unseen", status: RunStatus.Completed);
        await fixture.CreateAsync("seen", status: RunStatus.Running);
        var status = new StreamedStatus(TimeProvider.System);
        Assert.Equal(RunStatus.Running, status.Of(TrackingFixture.Workspace, await FindAsync("seen")));
        await SetAsync("seen", RunStatus.Completed);
        Assert.Equal(RunStatus.Completed, status.Of(TrackingFixture.Workspace, await FindAsync("seen")));
        var unseen = await FindAsync("unseen");
        Assert.Equal(RunStatus.Finalizing, status.Of(TrackingFixture.Workspace, unseen));
        Assert.Equal(RunStatus.Completed, status.Of(TrackingFixture.Workspace, unseen));
        var old = unseen with { Key = 99, Ended = DateTimeOffset.UtcNow.AddSeconds(-61) };
        Assert.Equal(RunStatus.Completed, status.Of(TrackingFixture.Workspace, old));
    }

    private async Task<Run> FindAsync(string id) => (await fixture.Runs.FindAsync(TrackingFixture.Workspace, id, default))!;

    private Task<bool> SetAsync(string id, RunStatus status, RunError? error = null, DateTimeOffset? at = null) =>
        fixture.Database.WriteAsync(scope => fixture.Runs.SetStatus(scope, TrackingFixture.Workspace, id, status, error, at), default);
}
