using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Callers who may not: readers who write, principals of another workspace who try this one's ids.</summary>
public sealed partial class TenantAttackTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    private const string DataScientist = "f6c7c914-8db3-469d-8ca1-694a8f32e121";

    private static readonly string[] Prefixes = ["/api/2.0/mlflow", "/ajax-api/", "/api/3.0/mlflow", "/v1/traces", "/get-artifact", "/model-versions/", "/zaffre/v1/subscriptions", "/mlflow/v", "/history/v1.0", "/artifact/v2.0", "/metric/v2.0"];

    // What only reads, and takes a body because its question is long.
    private static readonly string[] Questions = ["search", "search-datasets", "batchGetInfos", "get-latest-versions", "rundata", "traces/metrics", "traces/calculate-filter-correlation", "/graphql", "/artifacts/batch/metadata", "/storageuri/batch/metadata", "/runs/{id}/list", "/full", "/sample", "/azuremonitor/list", "{**rest}"];

    [Fact]
    public async Task A_reader_changes_nothing_and_a_stranger_reads_nothing_at_any_route_of_tracking()
    {
        using var anonymous = host.Anonymous();
        using var reader = await host.PrincipalAsync(Reader);
        using var stranger = await host.PrincipalAsync(null);
        var changing = 0;
        foreach (var (method, path, reads, _) in Routes())
        {
            Assert.Equal((path, HttpStatusCode.Unauthorized), (path, await StatusAsync(anonymous, method, path)));
            Assert.Equal((path, HttpStatusCode.Forbidden), (path, await StatusAsync(stranger, method, path)));
            if (!reads)
            {
                changing++;
                Assert.Equal((path, HttpStatusCode.Forbidden), (path, await StatusAsync(reader, method, path)));
            }
        }

        Assert.True(changing > 200, $"only {changing} routes change something: the sweep does not see them all");
    }

    [Fact]
    public void What_is_allowed_to_readers_and_takes_a_body_only_asks() => Assert.All(
        Routes().Where(route => route is { Reads: true, Method: not ("GET" or "HEAD") }),
        route => Assert.Contains(Questions, question => route.Pattern.EndsWith(question, StringComparison.Ordinal)));

    [Fact]
    public async Task Ids_of_another_workspace_are_answered_like_ids_that_nobody_has()
    {
        using var arm = await host.OwnerAsync();
        var id = new WorkspaceRef(host.Workspace.SubscriptionId, "zaffre", "elsewhere").Id.Value;
        using (var made = await arm.PutAsync(new Uri(id + "?api-version=2024-10-01", UriKind.Relative), Json("""{"location":"local"}""")))
        {
            made.EnsureSuccessStatusCode();
        }

        using var tenant = new Mlflow(host.With(await Identity.Tokens.PrincipalAsync(host, DataScientist, id)), "");
        var (real, madeUp) = (await LogAsync(), new Names("0123456789abcdef0123456789abcdef", "987654", "tr-00112233445566778899", "m-fedcba9876543210fedcba9876543210", "nobodys"));
        foreach (var (method, path, body) in Attempts)
        {
            foreach (var mount in new[] { "/zaffre/v1", "/mlflow/v1.0", "/mlflow/v2.0" })
            {
                var answers = new List<(HttpStatusCode Status, string Text)>();
                foreach (var names in new[] { real, madeUp })
                {
                    using var content = body is null ? null : Json(names.In(body));
                    using var answer = await tenant.SendAsync(method, mount + id + names.In(path), content);
                    answers.Add((answer.StatusCode, answer.IsSuccessStatusCode ? "" : names.Out(await answer.Content.ReadAsStringAsync())));
                }

                Assert.Equal((path, answers[1]), (path, answers[0]));
                Assert.True((int)answers[0].Status is >= 200 and < 500, $"{path}: {answers[0]}");
            }
        }

        // At their own address the ids are forbidden, there or not.
        foreach (var names in new[] { real, madeUp })
        {
            using var answer = await tenant.SendAsync("GET", "/api/2.0/mlflow/runs/get?run_id=" + names.Run);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        await NothingChangedAsync(real);
    }

    [Fact]
    public async Task A_jobs_token_changes_no_run_trace_model_or_experiment_of_somebody_else()
    {
        using var job = await Mlflow.JobAsync(host, "intruder");
        var victim = await LogAsync();
        var id = host.Workspace.Id.Value;
        var changing = Attempts.Where(attempt => attempt.Method != "GET" && !Allowed.Any(part => attempt.Path.Contains(part, StringComparison.Ordinal)))
            .SelectMany(attempt => new[] { attempt, attempt with { Path = "/zaffre/v1" + id + attempt.Path } })
            .Concat(OfAzure.Select(attempt => attempt with { Path = attempt.Path.Replace("WORKSPACE", id, StringComparison.Ordinal) }));
        foreach (var (method, path, body) in changing)
        {
            using var content = body is null ? null : Json(victim.In(body));
            using var answer = await job.SendAsync(method, victim.In(path), content);
            Assert.True(answer.StatusCode == HttpStatusCode.Forbidden, $"{method} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }

        await NothingChangedAsync(victim);
    }

    // Whatever was tried, nothing came of it.
    private async Task NothingChangedAsync(Names real)
    {
        using var owner = await Mlflow.OwnerAsync(host);
        var run = await owner.RunDataAsync(real.Run);
        Assert.Equal(("active", "RUNNING"), (run.GetProperty("info").GetProperty("lifecycle_stage").GetString(), run.GetProperty("info").GetProperty("status").GetString()));
        Assert.Equal("""[{"key":"m","value":1,"timestamp":1,"step":0}]""", run.GetProperty("data").GetProperty("metrics").GetRawText());
        Assert.DoesNotContain("stolen", run.GetRawText(), StringComparison.Ordinal);
        Assert.Equal("active", (await owner.GetAsync("experiments/get?experiment_id=" + real.Experiment)).GetProperty("experiment").GetProperty("lifecycle_stage").GetString());
        Assert.DoesNotContain("stolen", (await owner.GetAsync("/api/3.0/mlflow/traces/get?trace_id=" + real.Trace)).GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("stolen", (await owner.GetAsync("logged-models/" + real.Model)).GetRawText(), StringComparison.Ordinal);
        using var file = await owner.SendAsync("GET", $"/api/2.0/mlflow-artifacts/artifacts/{real.Experiment}/{real.Run}/artifacts/f");
        Assert.Equal("mine", await file.Content.ReadAsStringAsync());
    }

    // What a job may do in its workspace: ask, make runs below its own, register models.
    private static readonly string[] Allowed = ["search", "runs/create", "registered-models"];

    private static readonly (string Method, string Path, string? Body)[] OfAzure =
    [
        ("PATCH", "/history/v1.0WORKSPACE/experimentids/EXPERIMENT/runs/RUN", """{"tags":{"stolen":"1"}}"""),
        ("GET", "/history/v1.0WORKSPACE/experimentids/EXPERIMENT/runs/RUN/token", null),
        ("POST", "/history/v1.0WORKSPACE/experimentids/EXPERIMENT/runs/RUN/artifacts/batch/metadata", """{"paths":[{"path":"stolen"}]}"""),
        ("GET", "/artifact/v2.0WORKSPACE/artifacts/ExperimentRun/dcid.RUN/write?path=f", null),
        ("POST", "/artifact/v2.0WORKSPACE/artifacts/ExperimentRun/dcid.RUN/content?path=f&allowOverwrite=true", "stolen"),
        ("POST", "/artifact/v2.0WORKSPACE/artifacts/ExperimentRun/dcid.RUN/batch/metadata:delete", """{"paths":[{"path":"f"}]}"""),
        ("DELETE", "/artifact/v2.0WORKSPACE/artifacts/ExperimentRun/dcid.RUN/metadata?path=f", null),
        ("DELETE", "/artifact/v2.0WORKSPACE/artifacts/ExperimentRun/dcid.RUN/batch", null),
        ("POST", "/metric/v2.0WORKSPACE/runs/RUN/batchsync", """{"values":[{"name":"stolen","columns":{"stolen":"Double"},"createdUtc":"2025-01-31T12:00:00Z","value":[{"data":{"stolen":1}}]}]}"""),
    ];

    private static readonly (string Method, string Path, string? Body)[] Attempts =
    [
        ("GET", "/api/2.0/mlflow/runs/get?run_id=RUN", null),
        ("GET", "/api/2.0/mlflow/metrics/get-history?run_id=RUN&metric_key=m", null),
        ("GET", "/api/2.0/mlflow/metrics/get-history-bulk?run_id=RUN&metric_key=m", null),
        ("GET", "/api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids=RUN&metric_key=m", null),
        ("GET", "/api/2.0/mlflow/artifacts/list?run_id=RUN", null),
        ("GET", "/api/2.0/mlflow/experiments/get?experiment_id=EXPERIMENT", null),
        ("POST", "/api/2.0/mlflow/runs/search", """{"experiment_ids":["EXPERIMENT"]}"""),
        ("POST", "/api/2.0/mlflow/runs/log-metric", """{"run_id":"RUN","key":"stolen","value":2,"timestamp":1}"""),
        ("POST", "/api/2.0/mlflow/runs/log-batch", """{"run_id":"RUN","tags":[{"key":"stolen","value":"1"}]}"""),
        ("POST", "/api/2.0/mlflow/runs/log-parameter", """{"run_id":"RUN","key":"stolen","value":"1"}"""),
        ("POST", "/api/2.0/mlflow/runs/set-tag", """{"run_id":"RUN","key":"stolen","value":"1"}"""),
        ("POST", "/api/2.0/mlflow/runs/log-inputs", """{"run_id":"RUN","models":[{"model_id":"stolen"}]}"""),
        ("POST", "/api/2.0/mlflow/runs/outputs", """{"run_id":"RUN","models":[{"model_id":"stolen"}]}"""),
        ("POST", "/api/2.0/mlflow/runs/log-model", """{"run_id":"RUN","model_json":"{\"artifact_path\":\"stolen\",\"flavors\":{}}"}"""),
        ("POST", "/api/2.0/mlflow/runs/update", """{"run_id":"RUN","status":"FAILED","run_name":"stolen"}"""),
        ("POST", "/api/2.0/mlflow/runs/delete", """{"run_id":"RUN"}"""),
        ("POST", "/api/2.0/mlflow/runs/restore", """{"run_id":"RUN"}"""),
        ("POST", "/api/2.0/mlflow/runs/create", """{"experiment_id":"EXPERIMENT"}"""),
        ("POST", "/api/2.0/mlflow/experiments/update", """{"experiment_id":"EXPERIMENT","new_name":"stolen"}"""),
        ("POST", "/api/2.0/mlflow/experiments/delete", """{"experiment_id":"EXPERIMENT"}"""),
        ("POST", "/api/2.0/mlflow/experiments/set-experiment-tag", """{"experiment_id":"EXPERIMENT","key":"stolen","value":"1"}"""),
        ("POST", "/api/2.0/mlflow/experiments/search-datasets", """{"experiment_ids":["EXPERIMENT"]}"""),
        ("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", """{"run_id":"RUN","path":"stolen"}"""),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/EXPERIMENT/RUN/artifacts/f", null),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/EXPERIMENT/RUN/artifacts/f", "stolen"),
        ("DELETE", "/api/2.0/mlflow-artifacts/artifacts/EXPERIMENT/RUN/artifacts/f", null),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/EXPERIMENT/models/MODEL/artifacts/f", null),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/EXPERIMENT/traces/TRACE/artifacts/traces.json", "{}"),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/registry/REGISTERED/1/f", null),
        ("GET", "/api/2.0/mlflow-artifacts/presigned/EXPERIMENT/RUN/artifacts/f", null),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/create/EXPERIMENT/RUN/artifacts/f", """{"num_parts":1}"""),
        ("GET", "/get-artifact?run_uuid=RUN&path=f", null),
        ("GET", "/api/2.0/mlflow/logged-models/MODEL", null),
        ("PATCH", "/api/2.0/mlflow/logged-models/MODEL/tags", """{"tags":[{"key":"stolen","value":"1"}]}"""),
        ("DELETE", "/api/2.0/mlflow/logged-models/MODEL", null),
        ("POST", "/api/2.0/mlflow/logged-models", """{"experiment_id":"0","source_run_id":"RUN"}"""),
        ("POST", "/api/2.0/mlflow/logged-models/search", """{"experiment_ids":["EXPERIMENT"]}"""),
        ("GET", "/api/3.0/mlflow/traces/get?trace_id=TRACE", null),
        ("GET", "/api/3.0/mlflow/traces/batchGet?trace_ids=TRACE", null),
        ("GET", "/api/2.0/mlflow/traces/TRACE/info", null),
        ("PATCH", "/api/3.0/mlflow/traces/TRACE/tags", """{"key":"stolen","value":"1"}"""),
        ("POST", "/api/3.0/mlflow/traces/delete-traces", """{"experiment_id":"EXPERIMENT","request_ids":["TRACE"]}"""),
        ("POST", "/api/2.0/mlflow/traces/link-to-run", """{"run_id":"RUN","trace_ids":["TRACE"]}"""),
        ("GET", "/api/2.0/mlflow/registered-models/get?name=REGISTERED", null),
        ("GET", "/api/2.0/mlflow/model-versions/get?name=REGISTERED&version=1", null),
        ("POST", "/api/2.0/mlflow/registered-models/alias", """{"name":"REGISTERED","alias":"stolen","version":"1"}"""),
        ("DELETE", "/api/2.0/mlflow/registered-models/delete", """{"name":"REGISTERED"}"""),
    ];

    private async Task<Names> LogAsync()
    {
        using var owner = await Mlflow.OwnerAsync(host);
        var experiment = await owner.ExperimentAsync();
        var run = await owner.RunAsync(experiment);
        await owner.PostAsync("runs/log-metric", new { run_id = run, key = "m", value = 1, timestamp = 1 });
        using var put = await owner.SendAsync("PUT", $"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/f", new StringContent("mine"));
        var model = (await owner.PostAsync("logged-models", new { experiment_id = experiment, source_run_id = run })).GetProperty("model").GetProperty("info").GetProperty("model_id").GetString()!;
        var trace = (await owner.PostAsync("traces", new { experiment_id = experiment, timestamp_ms = 1 })).GetProperty("trace_info").GetProperty("request_id").GetString()!;
        var registered = "model-" + run;
        await owner.PostAsync("registered-models/create", new { name = registered });
        await owner.PostAsync("model-versions/create", new { name = registered, source = $"runs:/{run}/f" });
        return new Names(run, experiment, trace, model, registered);
    }

    private IEnumerable<TrackingRoute> Routes()
    {
        foreach (var endpoint in host.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var pattern = endpoint.RoutePattern.RawText!;
            if (endpoint.Metadata.GetMetadata<RequiredAction>() is not { } required || !Prefixes.Any(prefix => pattern.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            {
                continue;
            }

            var path = Parameter().Replace(pattern, match => match.Groups["name"].Value switch
            {
                "subscriptionId" => host.Workspace.SubscriptionId,
                "resourceGroupName" => host.Workspace.ResourceGroup,
                "workspaceName" => host.Workspace.Name,
                _ => "x",
            });
            foreach (var method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["POST"])
            {
                yield return new TrackingRoute(method, path, required.Action.EndsWith("/read", StringComparison.Ordinal), pattern);
            }
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative)) { Content = method is "GET" or "HEAD" ? null : Json("{}") };
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    [GeneratedRegex(@"\{\**(?<name>\w+)[^}]*\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Parameter();

    private sealed record TrackingRoute(string Method, string Path, bool Reads, string Pattern);

    private sealed record Names(string Run, string Experiment, string Trace, string Model, string Registered)
    {
        public string In(string text) => text.Replace("RUN", Run, StringComparison.Ordinal).Replace("EXPERIMENT", Experiment, StringComparison.Ordinal).Replace("TRACE", Trace, StringComparison.Ordinal)
            .Replace("MODEL", Model, StringComparison.Ordinal).Replace("REGISTERED", Registered, StringComparison.Ordinal);

        public string Out(string text) => text.Replace(Registered, "REGISTERED", StringComparison.Ordinal).Replace(Run, "RUN", StringComparison.Ordinal).Replace(Trace, "TRACE", StringComparison.Ordinal)
            .Replace(Model, "MODEL", StringComparison.Ordinal).Replace($"id={Experiment} ", "id=EXPERIMENT ", StringComparison.Ordinal);
    }
}
