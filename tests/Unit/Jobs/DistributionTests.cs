using System.Text.Json.Nodes;
using Zaffre.Compute;
using Zaffre.Jobs.Execution;
using Zaffre.Jobs.Submission;

namespace Zaffre.Tests.Unit.Jobs;

/// <summary>How many processes a job is, what they are told, and whose end decides.</summary>
public sealed class DistributionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("""{}""", null)]
    [InlineData("""{"distribution":{},"resources":{"instanceCount":1}}""", null)]
    [InlineData("""{"distribution":{"distributionType":null},"resources":{"instanceCount":"3"}}""", "Instances 3 3 0")]
    [InlineData("""{"distribution":{"distributionType":"PyTorch"}}""", "PyTorch 1 1 0")]
    [InlineData("""{"distribution":{"distributionType":"pytorch","processCountPerInstance":"2"},"resources":{"instanceCount":2}}""", "PyTorch 2 4 0")]
    [InlineData("""{"distribution":{"distributionType":"Mpi","processCountPerInstance":null},"resources":{"instanceCount":4}}""", "Mpi 4 4 0")]
    [InlineData("""{"distribution":{"distributionType":"TensorFlow"},"resources":{"instanceCount":2}}""", "TensorFlow 2 2 0")]
    [InlineData("""{"distribution":{"distributionType":"TensorFlow","workerCount":3,"parameterServerCount":1},"resources":{"instanceCount":2}}""", "TensorFlow 2 4 1")]
    public void A_job_is_as_many_processes_as_it_says(string properties, string? expected)
    {
        var findings = new Findings();
        var gang = DistributionReader.Read(JsonNode.Parse(properties)!.AsObject(), findings);
        Assert.False(findings.Any, findings.Any ? findings.Combined.Message : "");
        Assert.Equal(expected, gang is null ? null : $"{gang.Kind} {gang.Instances} {gang.Processes} {gang.ParameterServers}");
    }

    [Theory]
    [InlineData("""{"distribution":{"processCountPerInstance":2}}""", "properties.distribution.distributionType")]
    [InlineData("""{"distribution":{"distributionType":"Horovod"}}""", "properties.distribution.distributionType")]
    [InlineData("""{"distribution":{"distributionType":"PyTorch","processCountPerInstance":0}}""", "properties.distribution.processCountPerInstance")]
    [InlineData("""{"distribution":{"distributionType":"PyTorch","processCountPerInstance":99999999999}}""", "properties.distribution.processCountPerInstance")]
    [InlineData("""{"distribution":{"distributionType":"Mpi","processCountPerInstance":{"a":1}}}""", "properties.distribution.processCountPerInstance")]
    [InlineData("""{"distribution":{"distributionType":"TensorFlow","workerCount":-1}}""", "properties.distribution.workerCount")]
    [InlineData("""{"distribution":{"distributionType":"TensorFlow","parameterServerCount":"few"}}""", "properties.distribution.parameterServerCount")]
    [InlineData("""{"distribution":{"distributionType":"PyTorch","processCountPerInstance":200},"resources":{"instanceCount":2}}""", "properties.distribution")]
    [InlineData("""{"resources":{"instanceCount":300}}""", "properties.resources.instanceCount")]
    [InlineData("""{"resources":{"instanceCount":0}}""", "properties.resources.instanceCount")]
    [InlineData("""{"distribution":[1]}""", "properties.distribution")]
    public void What_is_no_number_of_processes_is_refused_with_its_path(string properties, string path)
    {
        var findings = new Findings();
        Assert.Null(DistributionReader.Read(JsonNode.Parse(properties)!.AsObject(), findings));
        Assert.Equal(path, findings.Combined.Target);
    }

    [Fact]
    public void Each_process_of_PyTorch_is_told_its_place()
    {
        var gang = new PlannedGang(GangKind.PyTorch, 2, 4, 0);
        var variables = gang.Members.Select(member => GangVariables.Of(gang, member, [4711])).ToArray();
        Assert.Equal(["0 0 0", "1 1 0", "2 0 1", "3 1 1"], variables.Select(v => $"{v["RANK"]} {v["LOCAL_RANK"]} {v["NODE_RANK"]}"));
        Assert.All(variables, v => Assert.Equal(("4", "2", "127.0.0.1", "4711", "2"), (v["WORLD_SIZE"], v["LOCAL_WORLD_SIZE"], v["MASTER_ADDR"], v["MASTER_PORT"], v["AZUREML_NODE_COUNT"])));
        Assert.Equal("user_logs/std_log_process_3.txt", gang.Members[3].Log);
    }

    [Fact]
    public void Each_process_of_TensorFlow_is_told_the_cluster_and_its_task()
    {
        var gang = new PlannedGang(GangKind.TensorFlow, 2, 3, 1);
        Assert.Equal(4, GangVariables.PortsOf(gang));
        var server = gang.Members[2];
        Assert.Equal(("parameter server 0", "user_logs/std_log_process_0_ps.txt", true), (server.Name, server.Log, server.Serves));
        Assert.Equal(
            """{"cluster":{"worker":["127.0.0.1:1","127.0.0.1:2"],"ps":["127.0.0.1:3"]},"task":{"type":"ps","index":0},"environment":"cloud"}""",
            GangVariables.Of(gang, server, [9, 1, 2, 3])["TF_CONFIG"]);
    }

    [Fact]
    public void The_first_that_failed_by_itself_decides_and_a_lost_one_before_it()
    {
        GangEnd[] ends =
        [
            End(0, 143, StopReason.Removed, 1), End(1, 1, null, 3), End(2, 7, null, 2), End(3, 0, null, 0),
        ];
        Assert.Equal(2, Gang.Decisive(ends).Member.Number);
        Assert.Equal(1, Gang.Decisive([.. ends, new GangEnd(new ExitRecord { Lost = true, Reason = "" }, new Member(1, 0, 1))]).Member.Number);
        Assert.Equal(StopReason.Canceled, Gang.Decisive([.. ends, End(9, 143, StopReason.Canceled, 9)]).Exit.Stopped);
    }

    [Fact]
    public void A_parameter_server_that_was_ended_after_its_workers_decides_nothing()
    {
        var server = End(1, 143, StopReason.Removed, 5);
        Assert.True(Gang.Decisive([End(0, 0, null, 1), server with { Member = server.Member with { Serves = true } }]).Exit.Succeeded);
        Assert.False(Gang.Decisive([End(0, 0, null, 1), server]).Exit.Succeeded);
    }

    [Theory]
    [InlineData("rank 3 ended with exit code 1\nrank 0 ended with exit code 143\n", 3)]
    [InlineData("MPI_ABORT was invoked on rank 2 in communicator MPI_COMM_WORLD\n", 2)]
    [InlineData("mpirun: command not found\n", null)]
    public void The_rank_that_failed_is_read_from_the_log_of_mpirun(string log, int? rank) => Assert.Equal(rank, MpiCommand.FailedRank(log));

    [Theory]
    [InlineData("2g", 2L << 30)]
    [InlineData("64M", 64L << 20)]
    [InlineData("4096", 4096L)]
    [InlineData("0", null)]
    [InlineData("g", null)]
    [InlineData("-1g", null)]
    [InlineData("9999999999999g", null)]
    public void A_size_is_read_as_Docker_writes_it(string text, long? bytes) => Assert.Equal(bytes ?? 0, ByteSizes.TryRead(text, out var read) == bytes.HasValue ? read : -1);

    private static GangEnd End(int number, int code, StopReason? stopped, int second) =>
        new(new ExitRecord { ExitCode = code, Stopped = stopped, EndedAt = Noon.AddSeconds(second), Reason = "" }, new Member(number, 0, number));
}
