using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Identity;
using Zaffre.Recording;
using Zaffre.Recording.Capture;
using Zaffre.Storage;
using Zaffre.Tests.Http.Jobs;
using Zaffre.Tests.Http.Storage;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Recording;

public sealed class RecorderTests : IAsyncLifetime
{
    private readonly string folder = Path.Combine(Directory.CreateTempSubdirectory("zaffre-recorder-").FullName, "recording");
    private readonly ZaffreHost host;
    private bool stopped;

    public RecorderTests() => host = new ZaffreHost { Record = folder };

    public Task InitializeAsync() => host.InitializeAsync();

    public async Task DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
    }

    [Fact]
    public async Task No_secret_that_went_through_any_surface_is_in_the_recording()
    {
        var planted = new List<string> { host.Get<LocalOwner>().ClientSecret };
        planted.AddRange(await IdentityAsync());
        planted.AddRange(await ResourcesAsync());
        planted.AddRange(await BlobsAsync());
        planted.AddRange(await TrackingAsync());

        await StopAsync();

        var written = string.Concat(Files().Select(File.ReadAllText));
        Assert.All(planted, secret => Assert.True(secret.Length >= 8, $"'{secret}' is no secret that could be searched for"));
        Assert.All(planted.SelectMany(Spellings), spelling => Assert.DoesNotContain(spelling, written, StringComparison.Ordinal));
        Assert.True(Exchanges().Count >= 20, "the recording lacks what was sent");
    }

    [Fact]
    public async Task Equal_values_have_equal_placeholders_and_the_servers_own_have_names()
    {
        var arm = new Arm(host);
        (await arm.PostAsync("~/datastores/workspaceblobstore/listSecrets")).Ok();
        (await arm.PostAsync("~/datastores/workspaceblobstore/listSecrets")).Ok();

        await StopAsync();

        var answers = Exchanges().Where(exchange => exchange.Request.Target.Contains("listSecrets", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, answers.Count);
        Assert.All(answers, answer => Assert.StartsWith("/subscriptions/{subscription}/resourceGroups/zaffre/", answer.Request.Target, StringComparison.Ordinal));
        Assert.Single(answers.Select(answer => answer.Answer.Body!.Json!["key"]!.ToString()).Distinct(StringComparer.Ordinal), "{secret:1}");
        Assert.All(answers, answer => Assert.Equal("AccountKey", answer.Answer.Body!.Json!["secretsType"]!.ToString()));
        Assert.All(answers, answer => Assert.Matches(@"^Bearer \{token:\d+\}$", answer.Request.Headers["authorization"]));
    }

    [Fact]
    public async Task A_recording_is_private_and_keeps_of_large_and_binary_bodies_length_and_digest_only()
    {
        var blobs = await BlobClient.CreateAsync(host, "recordertests");
        var large = new string('x', 200_000);
        (await blobs.PutAsync("large", large)).Is(HttpStatusCode.Created);
        (await blobs.PutAsync("binary", "\0\u0001\u0002")).Is(HttpStatusCode.Created);
        (await blobs.PutAsync("text", "plain text")).Is(HttpStatusCode.Created);
        Assert.Equal(large, (await blobs.GetAsync("large")).Is(HttpStatusCode.OK).Text);

        await StopAsync();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.All(Files(), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        var bodies = Exchanges().Where(exchange => exchange.Request.Method == "PUT").ToDictionary(exchange => exchange.Request.Target.Split('/')[^1], exchange => exchange.Request.Body!);
        Assert.Equal((200_000L, Sha256(large)), (bodies["large"].Length, bodies["large"].Sha256));
        Assert.Equal((3L, Sha256("\0\u0001\u0002")), (bodies["binary"].Length, bodies["binary"].Sha256));
        Assert.Equal(("plain text", null), (bodies["text"].Text, bodies["text"].Sha256));
        var download = Exchanges().Single(exchange => exchange.Request.Method == "GET" && exchange.Request.Target.EndsWith("/large", StringComparison.Ordinal)).Answer;
        Assert.Equal((200_000L, Sha256(large)), (download.Body!.Length, download.Body.Sha256));
    }

    [Fact]
    public async Task A_stream_arrives_while_it_is_recorded_and_a_jobs_own_requests_are_marked()
    {
        var jobs = new JobClient(host);
        (await jobs.PutAsync("recorded", """{"command":"echo first; while [ ! -e outputs/go ]; do sleep 0.05; done; echo $MLFLOW_TRACKING_TOKEN"}""")).Ok();
        using var client = await host.OwnerAsync();
        using (var answer = await client.GetAsync(new Uri($"/zaffre/v1{host.Workspace.Id}/jobs/recorded/logs?follow=true", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead))
        {
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
            Assert.Equal("first", await reader.ReadLineAsync());
            await File.WriteAllTextAsync(Path.Combine(Outputs("recorded"), "go"), "");
            var token = (await reader.ReadToEndAsync()).Trim();
            using var job = host.With(token);
            await job.GetAsync(new Uri($"{host.Workspace.Id}?api-version=2024-10-01", UriKind.Relative));
        }

        await StopAsync();

        var log = Exchanges().Single(exchange => exchange.Request.Target.Contains("follow=true", StringComparison.Ordinal)).Answer;
        Assert.Matches(@"^first\n\{jobtoken:1\}\n$", log.Body!.Text);
        Assert.Single(Exchanges(), exchange => exchange.Job);
    }

    [Fact]
    public async Task A_server_that_does_not_record_has_nothing_of_it_in_the_way()
    {
        var plain = new ZaffreHost();
        await plain.InitializeAsync();

        Assert.Null(plain.Services.GetService<Recorder>());
        Assert.NotNull(host.Services.GetService<Recorder>());

        await plain.DisposeAsync();
    }

    private async Task<IEnumerable<string>> IdentityAsync()
    {
        using var owner = await host.OwnerAsync();
        using var client = host.Anonymous();
        var token = new Uri($"/{host.Get<LocalOwner>().TenantId}/oauth2/v2.0/token", UriKind.Relative);
        using var wrong = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("client_id", Guid.NewGuid().ToString()), new("client_secret", "a+wrong/secret=&more"), new("scope", "https://management.azure.com/.default")]);
        await client.PostAsync(token, wrong);
        using var body = new StringContent("""{"name":"somebody"}""", Encoding.UTF8, "application/json");
        using var made = await owner.PostAsync(new Uri("/zaffre/v1/principals", UriKind.Relative), body);
        var secret = JsonNode.Parse(await made.Content.ReadAsStringAsync())!;
        using var basic = new HttpRequestMessage(HttpMethod.Post, token) { Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "https://management.azure.com/.default")]) };
        basic.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{secret["clientId"]}:{secret["clientSecret"]}")));
        using var answer = await client.SendAsync(basic);
        var access = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["access_token"]!.ToString();
        using var other = host.With(access);
        await other.GetAsync(new Uri($"{host.Workspace.Id}?api-version=2024-10-01&access_token={access}", UriKind.Relative));
        return ["a+wrong/secret=&more", secret["clientSecret"]!.ToString(), access, owner.DefaultRequestHeaders.Authorization!.Parameter!];
    }

    private async Task<IEnumerable<string>> ResourcesAsync()
    {
        var arm = new Arm(host);
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(64));
        (await arm.PutAsync("~/datastores/planted", $$$"""{"properties":{"datastoreType":"AzureBlob","accountName":"elsewhere","containerName":"c","credentials":{"credentialsType":"AccountKey","secrets":{"secretsType":"AccountKey","key":"{{{key}}}"} } } }""")).Ok();
        var listed = (await arm.PostAsync("~/datastores/planted/listSecrets")).Ok().At("key");
        var own = (await arm.PostAsync("~/datastores/workspaceblobstore/listSecrets")).Ok().At("key");
        var workspace = (await arm.PostAsync("~/listKeys")).Ok();
        (await arm.PutAsync("~/onlineEndpoints/planted-one", """{"location":"local","properties":{"authMode":"Key","keys":{"primaryKey":"brought-along-0123456789"}}}""")).Ok();
        var keys = (await arm.PostAsync("~/onlineEndpoints/planted-one/listKeys")).Ok();
        (await arm.PostAsync("~/onlineEndpoints/planted-one/regenerateKeys", """{"keyType":"Secondary","keyValue":"another-one-9876543210"}""")).Ok();
        (await arm.PutAsync("~/onlineEndpoints/planted-two", """{"location":"local","properties":{"authMode":"AMLToken"}}""")).Ok();
        var endpoint = (await arm.PostAsync("~/onlineEndpoints/planted-two/token")).Ok().At("accessToken");
        var connection = $"DefaultEndpointsProtocol=https;AccountName=elsewhere;AccountKey={Convert.ToBase64String(RandomNumberGenerator.GetBytes(30))};EndpointSuffix=core.windows.net";
        (await arm.PutAsync("~/environments/planted/versions/1", $$$"""{"properties":{"image":"debian","description":"{{{connection}}}"}}""")).Ok();
        (await arm.PutAsync("~/jobs/planted", $$$"""{"properties":{"jobType":"Command","command":"true","environmentId":"{{{arm.Main.Id}}}/environments/planted/versions/1","environmentVariables":{"MY_API_KEY":"variable-secret-1","DB_PASSWORD":"variable-secret-2"},"tags":{"note":"{{{key}}}"} } }""")).Ok();
        await new JobClient(host).EndAsync("planted");
        return
        [
            key, listed, own, keys.At("secondaryKey"), "brought-along-0123456789", "another-one-9876543210", endpoint, connection.Split("AccountKey=")[1].Split(';')[0],
            "variable-secret-1", "variable-secret-2", .. workspace.Select(member => member.Value).OfType<JsonValue>().Select(value => value.ToString()).Where(value => value.Length >= 20 && !value.Contains('/', StringComparison.Ordinal)),
        ];
    }

    private async Task<IEnumerable<string>> BlobsAsync()
    {
        var blobs = await BlobClient.CreateAsync(host, "plantedtests");
        var context = new DefaultHttpContext { RequestServices = host.Services, Request = { Host = new HostString("management.azure.com") } };
        var signed = (await host.Get<IBlobSigner>().SignAsync(context, new BlobAddress(blobs.Account, BlobClient.Container, "here"), BlobRights.Read | BlobRights.Create | BlobRights.Write, TimeSpan.FromHours(1), default)).AbsoluteUri;
        var query = signed[(signed.IndexOf('?', StringComparison.Ordinal) + 1)..];
        (await blobs.SendAsync("PUT", $"/{BlobClient.Container}/here?{query}", "x", sign: false, ("x-ms-blob-type", "BlockBlob"))).Is(HttpStatusCode.Created);
        await blobs.SendAsync("PUT", $"/{BlobClient.Container}/copy", "", ("x-ms-copy-source", $"https://{blobs.Host}/{BlobClient.Container}/here?{query}"), ("x-ms-copy-source-authorization", "Bearer copied-0123456789abcdef"));
        await blobs.PutAsync("settings.py", $"password='quoted-secret-3'\nDATA_TOKEN=line-secret-4\nurl = \"https://{blobs.Host}/c/d?{query}\"\nkey = \"{blobs.Key}\"\n", ("x-ms-meta-password", "header-secret-5"));
        await blobs.PutAsync("settings.json", $$$"""{"nested":{"client_secret":"json-secret-6"},"url":"https://u:url-secret-7@example.org/","sas":"{{{query}}}"}""");
        (await blobs.GetAsync("settings.py")).Is(HttpStatusCode.OK);
        await blobs.SendAsync("GET", $"/{BlobClient.Container}/here?{query.Replace("sig=", "sig=AAAA", StringComparison.Ordinal)}", null, sign: false);
        var signature = Uri.UnescapeDataString(query.Split("sig=")[1].Split('&')[0]);
        return [signature, "AAAA" + signature, blobs.Key, "copied-0123456789abcdef", "quoted-secret-3", "line-secret-4", "header-secret-5", "json-secret-6", "url-secret-7"];
    }

    private async Task<IEnumerable<string>> TrackingAsync()
    {
        using var client = await host.OwnerAsync();
        async Task<JsonNode> PostAsync(string path, string body)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync(new Uri("/api/2.0/mlflow/" + path, UriKind.Relative), content);
            return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        }

        var run = (await PostAsync("runs/create", """{"experiment_id":"0","user_id":"a-login-name-of-somebody","start_time":1}"""))["run"]?["info"]?["run_id"]?.ToString();
        await PostAsync("runs/log-parameter", $$"""{"run_id":"{{run}}","key":"api_key","value":"param-secret-8"}""");
        await PostAsync("runs/set-tag", $$"""{"run_id":"{{run}}","key":"source","value":"/home/somebodys-name/work, somebody@example.org"}""");
        Assert.NotNull(run);
        return ["param-secret-8", "a-login-name-of-somebody", "somebodys-name", "somebody@example.org"];
    }

    private static IEnumerable<string> Spellings(string secret) =>
        new[] { secret, Uri.EscapeDataString(secret), Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)), System.Text.Json.JsonEncodedText.Encode(secret).ToString() }.Distinct(StringComparer.Ordinal);

    private static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private string Outputs(string job) => Directory.EnumerateDirectories(Path.Combine(host.Root, "blobs"), "dcid." + job, SearchOption.AllDirectories).Select(found => Path.Combine(found, "outputs")).First(Directory.Exists);

    private string[] Files() => Directory.GetFiles(folder);

    private IReadOnlyList<Exchange> Exchanges() => Assert.Single(RecordingFiles.Read(folder)).Exchanges;

    private async Task StopAsync()
    {
        if (!stopped)
        {
            stopped = true;
            await host.DisposeAsync();
        }
    }
}
