using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Jobs of several processes that really run.</summary>
public sealed class DistributedJobTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Meet = """
        import os, socket
        rank, size, at = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
        if rank == 0:
            server = socket.create_server(at)
            print("met", sorted(int(server.accept()[0].makefile().readline()) for _ in range(size - 1)))
        else:
            while True:
                try:
                    peer = socket.create_connection(at)
                    break
                except ConnectionRefusedError:
                    pass
            peer.sendall(f"{rank}\n".encode())
            print("said", rank, "of node", os.environ["NODE_RANK"])
        """;

    private readonly PipelineClient pipelines = new(host);

    private JobClient Jobs => pipelines.Jobs;

    private Arm Arm => pipelines.Arm;

    [Fact]
    public async Task Processes_meet_at_the_master_and_each_has_a_log_of_its_own()
    {
        await PutAsync("meet", new JsonObject
        {
            ["command"] = $"python - <<'E'\n{Meet}\nE\necho $AZUREML_PROCESS_NAME >> outputs/names.txt",
            ["distribution"] = new JsonObject { ["distributionType"] = "PyTorch", ["processCountPerInstance"] = 2 },
            ["resources"] = new JsonObject { ["instanceCount"] = 2 },
        });
        var (job, log) = await Jobs.EndAsync("meet");
        Assert.Equal(("Completed", "met [1, 2, 3]\n"), (Status(job), log));
        Assert.Equal(["said 1 of node 0\n", "said 2 of node 1\n", "said 3 of node 1\n"], [await LogAsync("meet", 1), await LogAsync("meet", 2), await LogAsync("meet", 3)]);
        Assert.Equal(["rank_0", "rank_1", "rank_2", "rank_3"], (await ArtifactAsync("meet", "outputs/names.txt")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        Assert.Contains("4 processes (PyTorch) on 2 instances", await ArtifactAsync("meet", "system_logs/zaffre.txt"), StringComparison.Ordinal);
        var details = (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/meet/details")).Ok();
        Assert.Equal(Enumerable.Range(0, 4).Select(i => $"user_logs/std_log_process_{i}.txt"), details["logFiles"]!.AsObject().Select(pair => pair.Key));
        Assert.Equal("2", job.At("properties.distribution.processCountPerInstance"));
        Assert.Equal(HttpStatusCode.OK, (await Arm.PutAsync("~/jobs/meet", job.ToJsonString())).Status);
        await NothingIsLeftAsync("meet");
    }

    [Fact]
    public async Task Processes_of_an_instance_share_its_folder_and_instances_do_not()
    {
        await PutAsync("share", Gang("PyTorch", instances: 2, processes: 2, """
            if [ $LOCAL_RANK = 0 ]; then mkfifo pipe.tmp; mv pipe.tmp pipe; echo from $RANK > pipe; else until [ -p pipe ]; do sleep 0.01; done; cat pipe; fi
            """));
        Assert.Equal("Completed", Status((await Jobs.EndAsync("share")).Job));
        Assert.Equal(("from 0\n", "from 2\n"), (await LogAsync("share", 1), await LogAsync("share", 3)));
    }

    [Fact]
    public async Task One_that_fails_ends_the_others_and_the_error_names_it()
    {
        await PutAsync("one-fails", Gang("PyTorch", instances: 2, processes: 1, """
            if [ $RANK = 1 ]; then until [ -e outputs/ready ]; do sleep 0.01; done; echo 'ValueError: no good'; exit 3; fi
            trap 'echo told to end; exit 0' TERM; touch outputs/ready; sleep 600 & wait
            """));
        var (job, log) = await Jobs.EndAsync("one-fails");
        var own = job["properties"]!["properties"]!;
        Assert.Equal(("Failed", "UserError", "3", "told to end\n"), (Status(job), own["zaffre.error.code"]!.ToString(), own["zaffre.exitCode"]!.ToString(), log));
        Assert.Equal(
            "Rank 1 of 2 processes failed, and the others were ended. The command ended with exit code 3. The log says: ValueError: no good. What to do: see the log user_logs/std_log_process_1.txt.",
            own["zaffre.error.message"]!.ToString());
        await NothingIsLeftAsync("one-fails");
    }

    [Fact]
    public async Task One_whose_launcher_is_killed_is_named_and_the_others_are_ended()
    {
        await PutAsync("one-lost", Gang("PyTorch", instances: 2, processes: 1, "echo rank $RANK; sleep 600"));
        await Jobs.StatusAsync("one-lost", "Running");
        var second = Assert.Single(Directory.EnumerateDirectories(Path.Combine(host.Root, "tasks"), "one-lost.*.1"));
        var launcher = int.Parse((await File.ReadAllTextAsync(Path.Combine(Assert.Single(Directory.EnumerateDirectories(second)), "pid"))).Trim(), CultureInfo.InvariantCulture);
        using (var process = Process.GetProcessById(launcher))
        {
            process.Kill();
        }

        var (job, _) = await Jobs.EndAsync("one-lost");
        var own = job["properties"]!["properties"]!;
        Assert.Equal(("Failed", "JobLost"), (Status(job), own["zaffre.error.code"]!.ToString()));
        Assert.StartsWith("Rank 1 of 2 processes failed, and the others were ended. The process vanished", own["zaffre.error.message"]!.ToString(), StringComparison.Ordinal);
        await NothingIsLeftAsync("one-lost");
    }

    [Theory]
    [InlineData("gang-cancel", "P1D", "JobCanceled", "trap '' TERM")]
    [InlineData("gang-timeout", "PT1S", "JobTimedOut", "true")]
    public async Task All_end_when_the_job_is_canceled_or_its_time_is_over(string name, string timeout, string code, string before)
    {
        var job = Gang("PyTorch", instances: 2, processes: 1, before + "; sleep 600");
        job["limits"] = new JsonObject { ["jobLimitsType"] = "Command", ["timeout"] = timeout };
        await PutAsync(name, job);
        await Jobs.StatusAsync(name, "Running");
        if (code == "JobCanceled")
        {
            Assert.Equal(HttpStatusCode.Accepted, (await Jobs.CancelAsync(name)).StatusCode);
        }

        var ended = (await Jobs.EndAsync(name)).Job;
        Assert.Equal(("Canceled", code), (Status(ended), ended["properties"]!["properties"]!["zaffre.error.code"]!.ToString()));
        await NothingIsLeftAsync(name);
    }

    [Fact]
    public async Task TensorFlow_gets_its_cluster_and_parameter_servers_end_with_the_last_worker()
    {
        var job = Gang("TensorFlow", instances: 2, processes: null, """
            echo $TF_CONFIG; case $TF_CONFIG in *'"type":"ps"'*) touch outputs/serving; sleep 600;; *) until [ -e outputs/serving ]; do sleep 0.01; done;; esac
            """);
        job["distribution"]!["parameterServerCount"] = 1;
        await PutAsync("tf", job);
        var (ended, log) = await Jobs.EndAsync("tf");
        Assert.Equal("Completed", Status(ended));
        var (first, second, server) = (Json(log), Json(await LogAsync("tf", 1)), Json(await ArtifactAsync("tf", "user_logs/std_log_process_0_ps.txt")));
        Assert.Equal(("worker", "0", "worker", "1", "ps", "0"), (first.At("task.type"), first.At("task.index"), second.At("task.type"), second.At("task.index"), server.At("task.type"), server.At("task.index")));
        Assert.Equal((2, 1), (first["cluster"]!["worker"]!.AsArray().Count, first["cluster"]!["ps"]!.AsArray().Count));
        Assert.Equal(first["cluster"]!.ToJsonString(), server["cluster"]!.ToJsonString());
    }

    [Fact]
    public async Task Without_a_distribution_the_command_runs_on_each_instance()
    {
        await PutAsync("instances", new JsonObject { ["command"] = "echo node $NODE_RANK of $AZUREML_NODE_COUNT ${RANK-none}", ["resources"] = new JsonObject { ["instanceCount"] = 2 } });
        var (job, log) = await Jobs.EndAsync("instances");
        Assert.Equal(("Completed", "node 0 of 2 none\n", "node 1 of 2 none\n"), (Status(job), log, await LogAsync("instances", 1)));
    }

    [Fact]
    public async Task Outputs_that_are_published_at_the_end_hold_what_every_instance_wrote()
    {
        var job = Gang("PyTorch", instances: 2, processes: 1, "echo $RANK > ${{outputs.all}}/$RANK.txt; if [ $RANK = 1 ]; then echo one > ${{outputs.file}}; fi");
        job["outputs"] = new JsonObject
        {
            ["all"] = new JsonObject { ["jobOutputType"] = "uri_folder", ["mode"] = "Upload" },
            ["file"] = new JsonObject { ["jobOutputType"] = "uri_file", ["mode"] = "Upload" },
        };
        await PutAsync("late", job);
        Assert.Equal("Completed", Status((await Jobs.EndAsync("late")).Job));
        Assert.Equal(("0\n", "1\n", "one\n"), (await OutputAsync("all/paths/0.txt"), await OutputAsync("all/paths/1.txt"), await OutputAsync("file/paths/")));

        Task<string> OutputAsync(string path) => pipelines.ReadAsync("azureml://jobs/late/outputs/" + path);
    }

    [Fact]
    public async Task Shared_memory_has_the_size_that_the_job_says()
    {
        await PutAsync("shm", new JsonObject { ["command"] = "df --output=size -k /dev/shm | tail -n 1; head -c 9000000 /dev/zero > /dev/shm/x", ["resources"] = new JsonObject { ["shmSize"] = "8m" } });
        var (job, log) = await Jobs.EndAsync("shm");
        Assert.Equal("8192", log.Split('\n')[0].Trim());
        Assert.Equal("Failed", Status(job));
    }

    [Fact]
    public async Task A_gang_that_its_compute_never_holds_is_refused_and_others_wait_for_all_of_their_places()
    {
        (await Arm.PutAsync("~/computes/three", """
            {"location":"local","properties":{"computeType":"AmlCompute","properties":{"vmSize":"any","scaleSettings":{"minNodeCount":0,"maxNodeCount":3}}}}
            """)).Ok();
        var four = await Jobs.PutAsync("four", On("three", Gang("PyTorch", instances: 4, processes: 1, "true")).ToJsonString());
        Assert.Equal((HttpStatusCode.BadRequest, "properties.resources.instanceCount"), (four.Status, Assert.Single(four.Targets())));
        Assert.Contains("wants 4 instances at once", four.Body.ToJsonString(), StringComparison.Ordinal);

        // Two gangs of two on three places: each would hold half of the other's if places were given one by one.
        await PutAsync("gang-a", On("three", Gang("PyTorch", instances: 2, processes: 1, "while [ ! -e outputs/go ]; do sleep 0.02; done")));
        await Jobs.StatusAsync("gang-a", "Running");
        await PutAsync("gang-b", On("three", Gang("PyTorch", instances: 2, processes: 1, "true")));
        var nodes = (await Arm.PostAsync("~/computes/three/listNodes", "{}")).Ok();
        Assert.Equal("Queued", (await Arm.GetAsync("~/jobs/gang-b")).Ok().At("properties.status"));
        Assert.Equal(["gang-a", "gang-a"], nodes["nodes"]!.AsArray().Select(node => node!["runId"]?.ToString()).Where(run => run is not null));
        await Jobs.CancelAsync("gang-a");
        Assert.Equal("Completed", Status((await Jobs.EndAsync("gang-b")).Job));
    }

    [Fact]
    public async Task A_step_is_distributed_as_its_component_says_or_as_its_node_does()
    {
        await pipelines.ComponentAsync("dist", """
            {"command":"echo ${RANK-node} of ${WORLD_SIZE-$AZUREML_NODE_COUNT} >> ${{outputs.o}}/$AZUREML_PROCESS_NAME","outputs":{"o":{"type":"uri_folder"}},
             "distribution":{"type":"pytorch","process_count_per_instance":"2"},"resources":{"instance_count":"1"}}
            """);
        (await pipelines.PutAsync("dist-pipe", """
            {"outputs":{"a":{"jobOutputType":"uri_folder"},"b":{"jobOutputType":"uri_folder"}},
             "jobs":{"own":{"type":"command","componentId":"@dist","outputs":{"o":{"type":"literal","value":"${{parent.outputs.a}}"}}},
                     "other":{"type":"command","componentId":"@dist","outputs":{"o":{"type":"literal","value":"${{parent.outputs.b}}"}},
                              "distribution":{"distribution_type":"PyTorch","process_count_per_instance":1},"resources":{"instance_count":3}}}}
            """)).Ok();
        Assert.Equal("Completed", Status((await Jobs.EndAsync("dist-pipe")).Job));
        Assert.Equal("1 of 2\n", await pipelines.ReadAsync("azureml://jobs/dist-pipe/outputs/a/paths/rank_1"));
        Assert.Equal("2 of 3\n", await pipelines.ReadAsync("azureml://jobs/dist-pipe/outputs/b/paths/rank_2"));
    }

    private async Task PutAsync(string name, JsonObject properties) => (await Jobs.PutAsync(name, properties.ToJsonString())).Ok();

    private static JsonObject Gang(string type, int instances, int? processes, string command) => new()
    {
        ["command"] = command,
        ["distribution"] = new JsonObject { ["distributionType"] = type, ["processCountPerInstance"] = processes },
        ["resources"] = new JsonObject { ["instanceCount"] = instances },
    };

    private static JsonObject On(string compute, JsonObject job)
    {
        job["computeId"] = compute;
        return job;
    }

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private static string Status(JsonObject job) => job.At("properties.status");

    private Task<string> LogAsync(string job, int process) => ArtifactAsync(job, $"user_logs/std_log_process_{process}.txt");

    private Task<string> ArtifactAsync(string job, string path) => pipelines.ReadAsync($"azureml://jobs/{job}/outputs/artifacts/paths/{path}");

    /// <summary>Deleting waits for whoever still clears up after the job.</summary>
    private async Task NothingIsLeftAsync(string job)
    {
        (await Arm.DeleteAsync("~/jobs/" + job)).Ok();
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(host.Root, "tasks"), job + ".*"));
    }
}
