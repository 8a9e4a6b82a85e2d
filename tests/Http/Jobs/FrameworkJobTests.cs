using System.Text.Json.Nodes;
using Zaffre.Storage;
using Zaffre.Tests.Http.Workspaces;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>The frameworks themselves, from the distribution's packages: torch, Open MPI with mpi4py, R.</summary>
public sealed class FrameworkJobTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Torch = """
        import torch, torch.distributed as dist
        dist.init_process_group("gloo")
        sum = torch.tensor([dist.get_rank() + 1.0])
        dist.all_reduce(sum)
        print("rank", dist.get_rank(), "of", dist.get_world_size(), "sum", sum.item())
        dist.destroy_process_group()
        """;

    private const string Mpi = """
        import os, sys
        from mpi4py import MPI
        world = MPI.COMM_WORLD
        total = world.allreduce(world.Get_rank() + 1)
        print("rank", os.environ["OMPI_COMM_WORLD_RANK"], "of", os.environ["OMPI_COMM_WORLD_SIZE"], "sum", total, "node", os.environ["NODE_RANK"])
        if sys.argv[1] == "fail" and world.Get_rank() == 1:
            print("RuntimeError: this rank gives up")
            sys.stdout.flush()
            os._exit(9)
        world.Barrier()
        """;

    private const string R = """
        arguments <- commandArgs(trailingOnly = TRUE)
        flowers <- read.csv(arguments[1])
        means <- aggregate(length ~ kind, flowers, mean)
        write.csv(means, file.path(arguments[2], "means.csv"), row.names = FALSE, quote = FALSE)
        cat("read", nrow(flowers), "rows\n")
        """;

    private readonly PipelineClient pipelines = new(host);

    private JobClient Jobs => pipelines.Jobs;

    [Fact]
    public async Task Two_processes_of_torch_reduce_a_tensor_over_gloo()
    {
        await PutAsync("torch", new JsonObject
        {
            ["command"] = Script("python", Torch, ""),
            ["distribution"] = new JsonObject { ["distributionType"] = "PyTorch", ["processCountPerInstance"] = 1 },
            ["resources"] = new JsonObject { ["instanceCount"] = 2 },
        });
        var (job, log) = await Jobs.EndAsync("torch");
        Assert.Equal((null, "Completed"), (Message(job), job.At("properties.status")));
        Assert.Equal(("rank 0 of 2 sum 3.0\n", "rank 1 of 2 sum 3.0\n"), (log, await ArtifactAsync("torch", "user_logs/std_log_process_1.txt")));
    }

    [Theory]
    [InlineData("mpi-works", "work")]
    [InlineData("mpi-fails", "fail")]
    public async Task Processes_of_MPI_are_started_by_mpirun_and_the_one_that_fails_is_named(string name, string how)
    {
        await PutAsync(name, new JsonObject
        {
            ["command"] = Script("python", Mpi, how),
            ["distribution"] = new JsonObject { ["distributionType"] = "Mpi", ["processCountPerInstance"] = 2 },
            ["resources"] = new JsonObject { ["instanceCount"] = 2 },
        });
        var (job, log) = await Jobs.EndAsync(name);
        Assert.Equal("rank 0 of 4 sum 10 node 0\n", log);
        Assert.Equal("rank 3 of 4 sum 10 node 1\n", await ArtifactAsync(name, "user_logs/std_log_process_3.txt"));
        if (how == "work")
        {
            Assert.Equal((null, "Completed"), (Message(job), job.At("properties.status")));
            return;
        }

        Assert.Equal(("Failed", "9"), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.exitCode"]!.ToString()));
        Assert.Equal(
            "Rank 1 of 4 processes failed, and the others were ended. The command ended with exit code 9. The log says: RuntimeError: this rank gives up. What to do: see the log user_logs/std_log_process_1.txt.",
            Message(job));
    }

    [Fact]
    public async Task A_script_of_R_reads_an_input_and_writes_an_output()
    {
        var place = (await host.Get<IDatastores>().ResolveAsync(Jobs.Arm.Main, "workspaceblobstore", CancellationToken.None)).Value;
        using var content = new MemoryStream("kind,length\na,1\na,3\nb,5\n"u8.ToArray());
        Assert.True((await host.Get<IBlobStore>().PutAsync(new BlobAddress(place.Account, place.Container, "r/flowers.csv"), content, new BlobWrite(), CancellationToken.None)).Succeeded);
        await PutAsync("r", new JsonObject
        {
            ["command"] = Script("Rscript", R, "${{inputs.flowers}} ${{outputs.means}}"),
            ["inputs"] = new JsonObject { ["flowers"] = new JsonObject { ["jobInputType"] = "uri_file", ["uri"] = "azureml://datastores/workspaceblobstore/paths/r/flowers.csv" } },
            ["outputs"] = new JsonObject { ["means"] = new JsonObject { ["jobOutputType"] = "uri_folder" } },
        });
        var (job, log) = await Jobs.EndAsync("r");
        Assert.Equal((null, "read 3 rows\n"), (Message(job), log));
        Assert.Equal("kind,length\na,2\nb,5\n", await pipelines.ReadAsync("azureml://jobs/r/outputs/means/paths/means.csv"));
    }

    private static string Script(string interpreter, string script, string arguments) => $"cat > ~/script.$$ <<'END'\n{script}\nEND\n{interpreter} ~/script.$$ {arguments}";

    private static string? Message(JsonObject job) => job["properties"]!["properties"]!["zaffre.error.message"]?.ToString();

    private async Task PutAsync(string name, JsonObject properties) => (await Jobs.PutAsync(name, properties.ToJsonString())).Ok();

    private Task<string> ArtifactAsync(string job, string path) => pipelines.ReadAsync($"azureml://jobs/{job}/outputs/artifacts/paths/{path}");
}
