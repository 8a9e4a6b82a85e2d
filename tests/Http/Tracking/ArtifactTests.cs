using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

public sealed class ArtifactTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Proxy = "/api/2.0/mlflow-artifacts/artifacts/";

    [Fact]
    public async Task A_file_is_stored_listed_read_in_ranges_and_deleted()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        var path = $"{Proxy}0/{run}/artifacts/model/a%20b.txt";
        using (var put = await mlflow.SendAsync("PUT", path, new StringContent("0123456789", Encoding.UTF8, "text/plain")))
        {
            Assert.Equal("{}", await put.Content.ReadAsStringAsync());
        }

        using (var whole = await mlflow.SendAsync("GET", path))
        {
            Assert.Equal("0123456789", await whole.Content.ReadAsStringAsync());
            Assert.Equal("text/plain", whole.Content.Headers.ContentType?.MediaType);
            Assert.Equal("attachment", whole.Content.Headers.ContentDisposition?.DispositionType);
            Assert.Equal("nosniff", whole.Headers.GetValues("X-Content-Type-Options").Single());
        }

        var list = await mlflow.GetAsync($"artifacts/list?run_id={run}");
        Assert.Equal($"mlflow-artifacts:/0/{run}/artifacts", list.GetProperty("root_uri").GetString());
        Assert.Equal("""[{"path":"model","is_dir":true}]""", list.GetProperty("files").GetRawText());
        Assert.Equal("""[{"path":"model/a b.txt","is_dir":false,"file_size":10}]""", (await mlflow.GetAsync($"artifacts/list?run_uuid={run}&path=model")).GetProperty("files").GetRawText());
        var proxied = await mlflow.GetAsync($"{Proxy.TrimEnd('/')}?path=0/{run}/artifacts/model");
        Assert.Equal("""[{"path":"a b.txt","is_dir":false,"file_size":10}]""", proxied.GetProperty("files").GetRawText());
        Assert.Equal("{}", (await mlflow.GetAsync($"{Proxy.TrimEnd('/')}?path=0/{run}/artifacts/model/a%20b.txt")).GetRawText());

        using (var delete = await mlflow.SendAsync("DELETE", $"{Proxy}0/{run}/artifacts/model"))
        {
            Assert.Equal(HttpStatusCode.OK, delete.StatusCode);
        }

        await mlflow.FailsAsync(path, null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "No artifact 'model/a b.txt'", "GET");
    }

    [Fact]
    public async Task A_range_is_answered_as_a_part()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var client = host.With(await Identity.Tokens.OwnerAsync(host));
        var path = $"{Proxy}0/{await mlflow.RunAsync()}/artifacts/f";
        using var put = await mlflow.SendAsync("PUT", path, new StringContent("0123456789"));
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Range = new RangeHeaderValue(2, 4) } };
        using var part = await client.SendAsync(request);
        Assert.Equal((HttpStatusCode.PartialContent, "234"), (part.StatusCode, await part.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData("0/RUN/artifacts/%252e%252e/x")]
    [InlineData("0/RUN/artifacts/a%2Fb")]
    [InlineData("0/RUN/artifacts/a%5Cb")]
    [InlineData("0/RUN/artifacts//b")]
    [InlineData("0/RUN/artifacts")]
    [InlineData("0/RUN")]
    public async Task A_path_that_leads_out_is_refused(string path)
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        await mlflow.FailsAsync(Proxy + path.Replace("RUN", run, StringComparison.Ordinal), "{}", HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid path", "PUT");
    }

    [Fact]
    public async Task A_path_under_another_experiment_or_run_reaches_nothing()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        var other = await mlflow.ExperimentAsync();
        await mlflow.FailsAsync($"{Proxy}{other}/{run}/artifacts/x", "{}", HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "not found", "PUT");
        await mlflow.FailsAsync($"{Proxy}0/nobody/artifacts/x", "{}", HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Run with id=nobody not found", "PUT");
        await mlflow.FailsAsync($"artifacts/list?run_id={run}&path=../other", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid path", "GET");
    }

    [Fact]
    public async Task A_job_writes_its_own_artifacts_but_not_its_log_nor_those_of_others()
    {
        using var owner = await Mlflow.OwnerAsync(host);
        using var job = await Mlflow.JobAsync(host, "artist");
        var experiment = (await job.RunDataAsync("artist")).GetProperty("info").GetProperty("experiment_id").GetString();
        await job.ExpectAsync(HttpStatusCode.OK, "PUT", $"{Proxy}{experiment}/artist/artifacts/outputs/x", "{}");
        await job.FailsAsync($"{Proxy}{experiment}/artist/artifacts/user_logs/std_log.txt", "{}", HttpStatusCode.Forbidden, "PERMISSION_DENIED", "written by the server only", "PUT");
        await job.FailsAsync($"{Proxy}{experiment}/artist/artifacts", null, HttpStatusCode.Forbidden, "PERMISSION_DENIED", "written by the server only", "DELETE");
        await job.FailsAsync($"{Proxy}0/{await owner.RunAsync()}/artifacts/x", "{}", HttpStatusCode.Forbidden, "PERMISSION_DENIED", "may write to the job's own run", "PUT");
    }

    [Fact]
    public async Task The_azure_mounts_answer_for_the_same_run_with_azureml_uris()
    {
        using var plain = await Mlflow.OwnerAsync(host);
        var run = await plain.RunAsync();
        foreach (var (mount, uri) in new[]
        {
            ("/mlflow/v1.0", $"azureml://localhost:8443/mlflow/v2.0{Mlflow.Default(host).Id}/experiments/0/runs/{run}/artifacts"),
            ("/mlflow/v2.0", $"azureml://localhost:8443/mlflow/v2.0{Mlflow.Default(host).Id}/experiments/0/runs/{run}/artifacts"),
            ("/zaffre/v1", $"mlflow-artifacts:/0/{run}/artifacts"),
        })
        {
            using var mlflow = await Mlflow.OwnerAsync(host, mount + Mlflow.Default(host).Id);
            Assert.Equal(uri, (await mlflow.RunDataAsync(run)).GetProperty("info").GetProperty("artifact_uri").GetString());
            var found = await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { "0" }, filter = $"artifact_uri = '{uri}'" });
            Assert.Single(found.GetProperty("runs").EnumerateArray());
        }

        using var absent = await Mlflow.OwnerAsync(host, "/mlflow/v2.0" + Mlflow.Default(host).Id.Value.Replace("/main", "/absent", StringComparison.Ordinal));
        await absent.FailsAsync("experiments/get?experiment_id=0", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "absent", "GET");
    }
}
