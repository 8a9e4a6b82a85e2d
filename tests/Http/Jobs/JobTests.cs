using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Storage;
using Zaffre.Tests.Http.Workspaces;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Jobs that really run, in this process's server.</summary>
public sealed class JobTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly JobClient jobs = new(host);

    private Arm Arm => jobs.Arm;

    [Fact]
    public async Task A_job_without_compute_runs_on_serverless_and_its_answer_has_what_clients_need()
    {
        var created = await jobs.PutAsync("plain", """{"command":"echo hello; echo kept > outputs/kept.txt","fromTheFuture":{"a":1}}""");
        Assert.Equal(HttpStatusCode.Created, created.Status);
        Assert.Equal($"{Arm.Main.Id}/computes/serverless", created.Body.At("properties.computeId"));
        Assert.Equal("1", created.Body.At("properties.fromTheFuture.a"));
        var (job, log) = await jobs.EndAsync("plain");
        Assert.Equal((job["properties"]!["properties"]!["zaffre.error.message"]?.ToString(), "hello\n"), (null, log));
        Assert.Equal("Completed", job.At("properties.status"));
        Assert.Equal("azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.plain", job.At("properties.outputs.default.uri"));
        Assert.Equal("uri_folder", job.At("properties.outputs.default.jobOutputType"));
        Assert.EndsWith($"/runs/plain?wsid={Arm.Main.Id}", job.At("properties.services.Studio.endpoint"), StringComparison.Ordinal);
        Assert.StartsWith("azureml://localhost", job.At("properties.services.Tracking.endpoint"), StringComparison.Ordinal);
        Assert.Equal(("plain", "Default", "0"), (job.At("properties.displayName"), job.At("properties.experimentName"), job["properties"]!["properties"]!["zaffre.exitCode"]!.ToString()));
        Assert.NotEmpty(job.At("systemData.createdAt"));
        Assert.Equal("kept\n", await ReadAsync("azureml://jobs/plain/outputs/artifacts/paths/outputs/kept.txt"));
    }

    [Fact]
    public async Task Every_state_is_one_event_in_order()
    {
        (await jobs.PutAsync("events", """{"command":"true"}""")).Ok();
        await jobs.EndAsync("events");
        var events = await host.Get<IEventLog>().ReadAsync(0, 10_000, CancellationToken.None);
        Assert.Equal(
            ["write", "queued", "running", "completed"],
            events.Where(e => e.Subject.EndsWith("/jobs/events", StringComparison.Ordinal)).Select(e => e.Action.Split('/')[^1]).Where(a => a != "preparing"));
    }

    [Fact]
    public async Task Inputs_outputs_and_variables_reach_the_command()
    {
        await UploadAsync("in/a.csv", "1,2\n");
        (await jobs.PutAsync("data", """
            {"command":"cat ${{inputs.file}}; ls ${{inputs.folder}}; echo ${{inputs.direct}} $X $AZURE_ML_INPUT_n; echo made > ${{outputs.o}}/made.txt; echo one > ${{outputs.f}}",
             "environmentVariables":{"X":"x=${{inputs.n}}"},
             "inputs":{"file":{"jobInputType":"uri_file","uri":"azureml://datastores/workspaceblobstore/paths/in/a.csv"},
                       "folder":{"jobInputType":"uri_folder","uri":"azureml://datastores/workspaceblobstore/paths/in/","mode":"Download"},
                       "direct":{"jobInputType":"uri_file","uri":"azureml://datastores/workspaceblobstore/paths/in/a.csv","mode":"Direct"},
                       "n":{"jobInputType":"literal","value":"7"}},
             "outputs":{"o":{"jobOutputType":"uri_folder","assetName":"made-by-job"},"f":{"jobOutputType":"uri_file"}}}
            """)).Ok();
        var (job, log) = await jobs.EndAsync("data");
        Assert.Equal(("Completed", "1,2\na.csv\nazureml://datastores/workspaceblobstore/paths/in/a.csv x=7 7\n"), (job.At("properties.status"), log));
        Assert.Equal("made\n", await ReadAsync("azureml://datastores/workspaceblobstore/paths/azureml/data/o/made.txt"));
        Assert.Equal("made\n", await ReadAsync("azureml://jobs/data/outputs/o/paths/made.txt"));
        Assert.Equal("one\n", await ReadAsync("azureml://jobs/data/outputs/f/paths/"));
        Assert.Equal("uri_folder", (await Arm.GetAsync("~/data/made-by-job/versions/1")).Ok().At("properties.dataType"));
        var rundata = (await Arm.PostAsync($"/history/v1.0{Arm.Main.Id}/rundata", """{"runId":"data","selectRunMetadata":true}""")).Ok();
        Assert.Equal("UriFolder", rundata.At("runMetadata.outputs.o.type"));
        var id = rundata.At("runMetadata.outputs.o.assetId");
        var resolved = (await Arm.PostAsync($"/data/v1.0{Arm.Main.Id}/dataversion/batchGetResolvedUris", new JsonObject { ["values"] = new JsonArray(id) }.ToJsonString())).Ok();
        Assert.EndsWith("/datastores/workspaceblobstore/paths/azureml/data/o", resolved["values"]![id]!["uri"]!.GetValue<string>().TrimEnd('/'), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Downloaded_inputs_are_the_jobs_own_and_uploaded_outputs_appear_when_it_completes()
    {
        await UploadAsync("own/a.csv", "1,2\n");
        const string body = """
            {"command":"echo 3,4 >> ${{inputs.f}}/a.csv; cat ${{inputs.f}}/a.csv > ${{outputs.o}}/b.csv; echo one > ${{outputs.one}}; exit CODE",
             "inputs":{"f":{"jobInputType":"uri_folder","uri":"azureml://datastores/workspaceblobstore/paths/own/","mode":"Download"}},
             "outputs":{"o":{"jobOutputType":"uri_folder","mode":"Upload","uri":"azureml://datastores/workspaceblobstore/paths/own/"},"one":{"jobOutputType":"uri_file","mode":"Upload"}}}
            """;
        (await jobs.PutAsync("own-fails", body.Replace("CODE", "3", StringComparison.Ordinal))).Ok();
        Assert.Equal("Failed", (await jobs.EndAsync("own-fails")).Job.At("properties.status"));
        await Assert.ThrowsAnyAsync<Exception>(() => ReadAsync("azureml://datastores/workspaceblobstore/paths/own/b.csv"));
        (await jobs.PutAsync("own-works", body.Replace("CODE", "0", StringComparison.Ordinal))).Ok();
        var (job, log) = await jobs.EndAsync("own-works");
        Assert.Equal(("Completed", ""), (job.At("properties.status"), log));
        Assert.Equal("1,2\n", await ReadAsync("azureml://datastores/workspaceblobstore/paths/own/a.csv"));
        Assert.Equal("1,2\n3,4\n", await ReadAsync("azureml://datastores/workspaceblobstore/paths/own/b.csv"));
        Assert.Equal("one\n", await ReadAsync("azureml://jobs/own-works/outputs/one/paths/"));
    }

    [Fact]
    public async Task A_failing_job_says_why_in_its_answer_and_in_run_history()
    {
        (await jobs.PutAsync("failing", """{"command":"echo before; no-such-program"}""")).Ok();
        var (job, _) = await jobs.EndAsync("failing");
        Assert.Equal(("Failed", "127"), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.exitCode"]!.ToString()));

        // A run that ended unseen is shown as Finalizing once.
        Assert.Equal("Finalizing", (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/failing/details")).Ok().At("status"));
        var details = (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/failing/details")).Ok();
        Assert.Equal("UserError", details.At("error.error.code"));
        Assert.Contains("no-such-program: command not found", details.At("error.error.message"), StringComparison.Ordinal);
        Assert.Contains("What to do:", details.At("error.error.message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_ignores_the_signal_is_canceled_and_the_operation_tells()
    {
        (await jobs.PutAsync("stubborn", """{"command":"trap '' TERM; echo up; sleep 100; sleep 100"}""")).Ok();
        await jobs.StatusAsync("stubborn", "Running");
        var cancel = await jobs.CancelAsync("stubborn");
        Assert.Equal(HttpStatusCode.Accepted, cancel.StatusCode);
        Assert.Equal("1", cancel.Headers.RetryAfter!.ToString());
        var operation = cancel.Headers.Location!.PathAndQuery;
        Assert.Equal("CancelRequested", (await Arm.GetAsync("~/jobs/stubborn")).Ok().At("properties.status"));
        Assert.Equal(HttpStatusCode.Conflict, (await Arm.DeleteAsync("~/jobs/stubborn")).Status);
        var (job, _) = await jobs.EndAsync("stubborn");
        Assert.Equal(("Canceled", "JobCanceled"), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString()));
        Assert.Equal(HttpStatusCode.NoContent, (await Arm.GetAsync(operation)).Status);
        Assert.Equal(HttpStatusCode.OK, (await jobs.CancelAsync("stubborn")).StatusCode);
    }

    [Fact]
    public async Task A_job_beyond_its_time_is_canceled()
    {
        (await jobs.PutAsync("slow", """{"command":"sleep 100","limits":{"jobLimitsType":"Command","timeout":"PT1S"}}""")).Ok();
        var (job, _) = await jobs.EndAsync("slow");
        Assert.Equal(("Canceled", "JobTimedOut"), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString()));
    }

    [Fact]
    public async Task A_job_whose_input_is_not_there_fails_before_its_command_and_names_it()
    {
        (await jobs.PutAsync("missing", """{"command":"echo never","inputs":{"gone":{"jobInputType":"uri_file","uri":"azureml://datastores/workspaceblobstore/paths/no/such.csv"}}}""")).Ok();
        var (job, log) = await jobs.EndAsync("missing");
        Assert.Equal(("Failed", "InputNotFound", ""), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString(), log));
        Assert.Contains("'gone'", job["properties"]!["properties"]!["zaffre.error.message"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_job_leaves_neither_logs_nor_a_name()
    {
        (await jobs.PutAsync("twice", """{"command":"echo first"}""")).Ok();
        await jobs.EndAsync("twice");
        Assert.Equal(HttpStatusCode.OK, (await Arm.DeleteAsync("~/jobs/twice")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Arm.DeleteAsync("~/jobs/twice")).Status);
        (await Arm.GetAsync("~/jobs/twice")).Fails(HttpStatusCode.NotFound);
        (await jobs.PutAsync("twice", """{"command":"echo second"}""")).Ok();
        Assert.Equal("second\n", (await jobs.EndAsync("twice")).Log);
    }

    [Fact]
    public async Task The_log_as_events_carries_offsets_and_ends_with_the_state()
    {
        (await jobs.PutAsync("stream", """{"command":"printf 'one\\r\\ntw\\u00f6\\n'; exit 3"}""")).Ok();
        await jobs.EndAsync("stream");
        var whole = await jobs.EventsAsync("stream", lastId: null);
        Assert.Contains("event: log\nid: 10\ndata: \"one\\r\\ntwö\\n\"\n\n", whole, StringComparison.Ordinal);
        Assert.Contains("event: status\ndata: {\"status\":\"Failed\",\"error\":{\"code\":\"UserError\"", whole, StringComparison.Ordinal);
        Assert.Contains("event: log\nid: 10\ndata: \"twö\\n\"\n\n", await jobs.EventsAsync("stream", lastId: "5"), StringComparison.Ordinal);
    }

    private async Task UploadAsync(string path, string text)
    {
        var place = (await host.Get<IDatastores>().ResolveAsync(Arm.Main, "workspaceblobstore", CancellationToken.None)).Value;
        using var content = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
        Assert.True((await host.Get<IBlobStore>().PutAsync(new BlobAddress(place.Account, place.Container, path), content, new BlobWrite(), CancellationToken.None)).Succeeded);
    }

    private async Task<string> ReadAsync(string uri)
    {
        var place = (await host.Get<IUriResolver>().ResolveAsync(Arm.Main, uri, CancellationToken.None)).Value.Blob!;
        await using var stream = await host.Get<IBlobStore>().OpenReadAsync(new BlobAddress(place.Account, place.Container, place.Path), CancellationToken.None);
        Assert.NotNull(stream);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
