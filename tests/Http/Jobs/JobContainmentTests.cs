using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Jobs;
using Zaffre.Tests.Http.Identity;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>A server that gives jobs little time to end, over a size of one gigabyte.</summary>
public sealed class StrictHost : IAsyncLifetime
{
    public ZaffreHost Host { get; } = new() { Also = services => services.AddSingleton(new JobOptions { Grace = TimeSpan.FromMilliseconds(500) }) };

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(Host.Root, "compute.yml"), "sizes:\n- {name: Small, cores: 2, memory_gb: 1}\n");
        await Host.InitializeAsync();
        (await new Arm(Host).PutAsync("~/computes/small", """{"location":"local","properties":{"computeType":"AmlCompute","properties":{"vmSize":"Small","scaleSettings":{"minNodeCount":0,"maxNodeCount":4}}}}""")).Ok();
    }

    public Task DisposeAsync() => Host.DisposeAsync();
}

/// <summary>What jobs do to the host, and what they leave behind.</summary>
public sealed class JobContainmentTests(StrictHost strict) : IClassFixture<StrictHost>
{
    private readonly ZaffreHost host = strict.Host;

    private JobClient Jobs { get; } = new(strict.Host);

    [Fact]
    public async Task Daemons_end_with_their_job_which_ends_with_its_command()
    {
        // A name that no other process of this host has.
        var mark = Random.Shared.Next(100_000, 999_999);
        var properties = await RunAsync("daemons", $"""
            nohup sleep {mark}1 >/dev/null 2>&1 &
            setsid sleep {mark}2 &
            (setsid sh -c 'trap "" HUP TERM; sleep {mark}3 & sleep {mark}4' &) &
            python3 - <<'EOF'
            import os, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN)
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.chdir('/')
                    os.execlp('sleep', 'sleep', '{mark}5')
                os._exit(0)
            os.wait()
            EOF
            while [ "$(ps -eo args | grep -c '^sleep {mark}')" -lt 5 ]; do sleep 0.05; done
            dd if=/dev/zero of=scratch bs=1M count=8 status=none; echo all five
            """);
        Assert.Equal("Completed", properties["status"]!.ToString());
        Assert.Equal("all five\n", await LogAsync("daemons"));
        Assert.Empty(Process.GetProcesses().Where(process => CommandOf(process.Id).Contains($"sleep\0{mark}", StringComparison.Ordinal)).Select(process => process.Id));
        await GoneAsync("daemons");
    }

    [Fact]
    public async Task A_fork_bomb_is_bounded_and_canceled_while_the_server_answers()
    {
        await PutAsync("bomb", """
            python3 - <<'EOF'
            import os, time
            while True:
                try:
                    os.fork()
                except OSError:
                    print('full', flush=True)
                    time.sleep(1000)
            EOF
            """);
        await SeenAsync("bomb", "full");
        Assert.Equal("Completed", (await RunAsync("beside-the-bomb", "echo fine"))["status"]!.ToString());
        (await Jobs.CancelAsync("bomb")).Dispose();
        var (job, _) = await Jobs.EndAsync("bomb");
        Assert.Equal("Canceled", job.At("properties.status"));
        Assert.Contains("ProcessLimit: the limit of", Own(job, "zaffre.warnings"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_that_acted_is_said_although_the_command_succeeded()
    {
        var threads = await RunAsync("threads", """
            python3 - <<'EOF'
            import threading, time
            try:
                while True:
                    threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
            except RuntimeError as refused:
                print(refused)
            EOF
            """);
        Assert.Equal("Completed", threads["status"]!.ToString());
        Assert.Contains("ProcessLimit: the limit of", threads["properties"]!["zaffre.warnings"]!.ToString(), StringComparison.Ordinal);
        Assert.Null(threads["properties"]!["zaffre.error.code"]);

        var child = await RunAsync("child", """
            python3 -c "import sys; x = bytearray(b'1') * (1500 << 20)" || echo "the child ended with $?"
            """, "small");
        Assert.Equal(("Completed", "the child ended with 137\n"), (child["status"]!.ToString(), (await LogAsync("child")).Replace("Killed\n", "", StringComparison.Ordinal).Split('\n') is [.., var last, ""] ? last + "\n" : ""));
        Assert.Contains("OutOfMemory: the memory limit of 1024 MiB was reached and 1 process was killed", child["properties"]!["zaffre.warnings"]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("OutOfMemory", await ArtifactAsync("child", "system_logs/zaffre.txt"), StringComparison.Ordinal);
        Assert.Contains("\"warnings\":[\"OutOfMemory", await Jobs.EventsAsync("child", null), StringComparison.Ordinal);

        var whole = await RunAsync("whole", """exec python3 -c "x = bytearray(b'1') * (1500 << 20)" """, "small");
        Assert.Equal(("Failed", "OutOfMemory"), (whole["status"]!.ToString(), whole["properties"]!["zaffre.error.code"]!.ToString()));
        Assert.Null(whole["properties"]!["zaffre.warnings"]);
    }

    [Fact]
    public async Task What_leads_out_of_outputs_is_not_published_and_its_user_is_told()
    {
        var secret = Path.Combine(host.Root, "secret.txt");
        await File.WriteAllTextAsync(secret, "s3cret");
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (var mode in (string[])["ReadWriteMount", "Upload"])
        {
            var name = "leads-" + mode.ToLowerInvariant();
            var properties = await RunAsync(name, $$$"""
                cd ${{outputs.out}}
                echo kept >real; mkdir -p deep; echo kept >deep/real
                ln -s /etc/passwd absolute; ln -s {{{secret}}} data; ln -s ../../../../../../../../../../etc/shadow relative; ln -s deep chain1; ln -s chain1/../../../../secret.txt chain2
                ln -s . self; ln -s / deep/root; mkfifo pipe; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('socket')"
                ln /etc/hostname hard 2>/dev/null && echo 'hard link made'; mknod device b 8 0 2>/dev/null && echo 'device made'; ln real hard2
                ln -s /etc/passwd "$OLDPWD/outputs/artifact"; printf 'x' >"$(printf 'bad\nname')"; ln -s / "$(printf 'link\nline')"
                """, more: $$$$$"""{"outputs":{"out":{"jobOutputType":"uri_folder","mode":"{{{{{mode}}}}}","uri":"azureml://datastores/workspaceblobstore/paths/{{{{{name}}}}}"}}}""");
            Assert.Equal("Completed", properties["status"]!.ToString());
            Assert.DoesNotContain("made", await LogAsync(name), StringComparison.Ordinal);
            var told = properties["properties"]!["zaffre.warnings"]!.ToString();
            Assert.Contains("The output 'out' holds 10 entries that are no file or folder and not published: ", told, StringComparison.Ordinal);
            Assert.Contains("The folder 'outputs' holds 1 entry that is no file or folder and not published: artifact (a link).", told, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', told);

            var names = await BlobsAsync(name + "/");
            Assert.Equal(["bad\nname", "deep/real", "hard2", "real"], names.Order(StringComparer.Ordinal));
            foreach (var lost in (string[])["absolute", "data", "relative", "chain1/real", "chain2", "self/real", "deep/root/etc/passwd", "pipe", "socket"])
            {
                Assert.Equal((lost, 404), (lost, await ReadAsync($"{name}/{lost}")));
            }

            Assert.Equal(200, await ReadAsync($"{name}/deep/real"));
        }
    }

    [Fact]
    public async Task A_job_that_replaces_its_output_by_a_link_gains_nothing()
    {
        var properties = await RunAsync("replaces", """rm -rf ${{outputs.one}} 2>/dev/null; ln -sfn /etc/passwd ${{outputs.one}} 2>/dev/null; rm -rf outputs logs 2>/dev/null; ln -sfn /etc outputs 2>/dev/null; true""",
            more: """{"outputs":{"one":{"jobOutputType":"uri_file","uri":"azureml://datastores/workspaceblobstore/paths/replaced/file"}}}""");
        Assert.Equal("Completed", properties["status"]!.ToString());
        using var client = await StorageAsync();
        using var answer = await client.GetAsync(Blob("replaced/file"));
        Assert.DoesNotContain("root:", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_binary_log_is_kept_whole_and_read_in_parts_and_as_it_grows()
    {
        // As many MiB as ZAFFRE_SOAK says: ./zaffre test --soak A_binary_log:1024
        var size = (int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SOAK"), CultureInfo.InvariantCulture, out var soak) ? soak : 48L) << 20;
        await PutAsync("binary", $"head -c {size} /dev/urandom; printf '\\nValueError: \\377\\376 the end\\n'; exit 3");
        await Jobs.StatusAsync("binary", "Failed");
        using (var follower = host.With(await Tokens.OwnerAsync(host)))
        using (var answer = await follower.GetAsync(new Uri($"/zaffre/v1{Jobs.Arm.Main.Id}/jobs/binary/logs?follow=true", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead))
        {
            await using var body = await answer.Content.ReadAsStreamAsync();
            Assert.Equal(size + 24, await CountAsync(body));
        }

        using var client = await StorageAsync();
        using var head = new HttpRequestMessage(HttpMethod.Head, Artifact("binary", "user_logs/std_log.txt"));
        using var length = await client.SendAsync(head);
        Assert.Equal(size + 24, length.Content.Headers.ContentLength);
        using var range = new HttpRequestMessage(HttpMethod.Get, Artifact("binary", "user_logs/std_log.txt")) { Headers = { Range = new RangeHeaderValue(size, size + 9) } };
        using var part = await client.SendAsync(range);
        Assert.Equal("\nValueErro", await part.Content.ReadAsStringAsync());
        var job = (await Jobs.Arm.GetAsync("~/jobs/binary")).Ok();
        Assert.Contains("The log says: ValueError: \ufffd\ufffd the end.", Own(job, "zaffre.error.message"), StringComparison.Ordinal);
    }

    private async Task PutAsync(string name, string command, string? compute = null, string? more = null)
    {
        var properties = JsonNode.Parse(more ?? "{}")!.AsObject();
        properties["command"] = command;
        if (compute is not null)
        {
            properties["computeId"] = $"{Jobs.Arm.Main.Id}/computes/{compute}";
        }

        (await Jobs.PutAsync(name, properties.ToJsonString())).Ok();
    }

    private async Task<JsonObject> RunAsync(string name, string command, string? compute = null, string? more = null)
    {
        await PutAsync(name, command, compute, more);
        return (await Jobs.EndAsync(name)).Job["properties"]!.AsObject();
    }

    private static string Own(JsonObject job, string name) => job["properties"]!["properties"]![name]!.ToString();

    private async Task<string> LogAsync(string job) => (await Jobs.EndAsync(job)).Log;

    /// <summary>Returns once the log of a running job holds the text.</summary>
    private async Task SeenAsync(string job, string text)
    {
        using var client = host.With(await Tokens.OwnerAsync(host));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var log = await client.GetStreamAsync(new Uri($"/zaffre/v1{Jobs.Arm.Main.Id}/jobs/{job}/logs?follow=true", UriKind.Relative), limit.Token);
        using var reader = new StreamReader(log);
        while (!(await reader.ReadLineAsync(limit.Token) ?? throw new EndOfStreamException()).Contains(text, StringComparison.Ordinal))
        {
        }
    }

    private async Task GoneAsync(string job)
    {
        bool Left() => Directory.EnumerateDirectories(Path.Combine(host.Root, "tasks")).Any(path => Path.GetFileName(path).StartsWith(job + ".", StringComparison.Ordinal));
        for (var wait = 0; Left(); wait++)
        {
            Assert.True(wait < 400, "the scratch files stay");
            await Task.Delay(25);
        }
    }

    private static string CommandOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private async Task<HttpClient> StorageAsync()
    {
        var client = host.With(await host.TokenAsync(host.Get<Zaffre.Identity.LocalOwner>().ClientId, host.Get<Zaffre.Identity.LocalOwner>().ClientSecret, "https://storage.azure.com/.default"));
        client.DefaultRequestHeaders.Add("x-ms-version", "2021-08-06");
        return client;
    }

    private Uri Blob(string name) => new($"https://{Account}.blob.core.windows.net/{Container}/{name}");

    private Uri Artifact(string job, string name) => new($"https://{Account}.blob.core.windows.net/azureml/ExperimentRun/dcid.{job}/{name}");

    private string AccountFolder => Directory.GetDirectories(Path.Combine(host.Root, "blobs")).Single(path => !Path.GetFileName(path).StartsWith('.'));

    private string Account => Path.GetFileName(AccountFolder);

    private string Container => Directory.GetDirectories(AccountFolder).Select(path => Path.GetFileName(path)!).Single(name => name.StartsWith("azureml-blobstore", StringComparison.Ordinal));

    private async Task<int> ReadAsync(string name)
    {
        using var client = await StorageAsync();
        using var answer = await client.GetAsync(Blob(name));
        return (int)answer.StatusCode;
    }

    private async Task<string> ArtifactAsync(string job, string name)
    {
        using var client = await StorageAsync();
        return await client.GetStringAsync(Artifact(job, name));
    }

    private async Task<List<string>> BlobsAsync(string prefix)
    {
        using var client = await StorageAsync();
        var list = System.Xml.Linq.XDocument.Parse((await client.GetStringAsync(new Uri($"https://{Account}.blob.core.windows.net/{Container}?restype=container&comp=list&prefix={prefix}"))).TrimStart('\ufeff'));
        return [.. list.Descendants("Name").Select(name => name.Value[prefix.Length..])];
    }

    private static async Task<long> CountAsync(Stream body)
    {
        var (buffer, count, read) = (new byte[64 * 1024], 0L, 0);
        while ((read = await body.ReadAsync(buffer)) > 0)
        {
            count += read;
        }

        return count;
    }
}
