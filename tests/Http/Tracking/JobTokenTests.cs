using System.Net;
using Zaffre.Tracking;

namespace Zaffre.Tests.Http.Tracking;

public sealed class JobTokenTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    [Fact]
    public async Task A_job_logs_to_its_own_run_and_to_the_runs_below_it_only()
    {
        using var owner = await Mlflow.OwnerAsync(host);
        using var job = await Mlflow.JobAsync(host, "trainer");
        await job.PostAsync("runs/log-metric", new { run_id = "trainer", key = "m", value = 1, timestamp = 1 });
        var child = await job.RunAsync();
        Assert.Equal("trainer", (await host.Get<IRuns>().FindAsync(Mlflow.Default(host), child, default))!.Parent);
        await job.PostAsync("runs/set-tag", new { run_id = child, key = "t", value = "1" });
        var grandchild = (await job.PostAsync("runs/create", new { tags = new[] { new { key = "mlflow.parentRunId", value = child } } })).GetProperty("run").GetProperty("info").GetProperty("run_id").GetString()!;
        await job.PostAsync("runs/log-parameter", new { run_id = grandchild, key = "p", value = "1" });

        var foreign = await owner.RunAsync();
        Task Denied(string path, object body) => job.FailsAsync(path, body, HttpStatusCode.Forbidden, "PERMISSION_DENIED", "The token of job 'trainer' may");
        await Denied("runs/log-metric", new { run_id = foreign, key = "m", value = 1, timestamp = 1 });
        await Denied("runs/set-tag", new { run_id = foreign, key = "t", value = "1" });
        await Denied("runs/update", new { run_id = foreign, status = "FAILED" });
        await Denied("runs/delete", new { run_id = "trainer" });
        await Denied("runs/create", new { tags = new[] { new { key = "mlflow.parentRunId", value = foreign } } });
        var experiment = await job.ExperimentAsync();
        await Denied("experiments/delete", new { experiment_id = experiment });
        Assert.NotNull((await job.RunDataAsync(foreign)).ToString());
    }

    [Fact]
    public async Task Ending_the_run_inside_a_job_leaves_the_jobs_status_alone()
    {
        using var job = await Mlflow.JobAsync(host, "ender");
        var info = (await job.PostAsync("runs/update", new { run_id = "ender", status = "FINISHED", end_time = 5 })).GetProperty("run_info");
        Assert.Equal("RUNNING", info.GetProperty("status").GetString());
        Assert.Equal(RunStatus.Running, (await host.Get<IRuns>().FindAsync(Mlflow.Default(host), "ender", default))!.Status);
    }

    [Fact]
    public async Task The_run_of_a_job_that_has_not_ended_cannot_be_deleted()
    {
        using var owner = await Mlflow.OwnerAsync(host);
        using var job = await Mlflow.JobAsync(host, "living");
        await owner.FailsAsync("runs/delete", new { run_id = "living" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Cancel the job first");
    }
}
