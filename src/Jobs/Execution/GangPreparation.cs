using System.Globalization;
using Zaffre.Compute;
using Zaffre.Jobs.Submission;

namespace Zaffre.Jobs.Execution;

/// <summary>Makes of the task of an instance the tasks of its processes.</summary>
internal sealed class GangPreparation(PlannedGang gang, IReadOnlyList<int> ports)
{
    /// <summary>What the system log says of the gang.</summary>
    public IEnumerable<string> Explanation =>
    [
        string.Create(CultureInfo.InvariantCulture, $"{gang.Processes} processes ({(gang.Kind is GangKind.Instances ? "one for each instance" : gang.Kind)}) on {gang.Instances} instances; they meet at 127.0.0.1:{ports[0]}."),
    ];

    /// <summary>The files of each instance: processes that share an instance share them. Those of MPI are one task, in whose view all logs are.</summary>
    public static StagingRequest[] StagingOf(StagingRequest job, JobPlan plan) => plan.Gang is { Kind: GangKind.Mpi } mpi
        ? [job with { Logs = [MpiCommand.Log, .. mpi.Members.Select(member => member.Log)], ShowsLogs = true }]
        : [.. plan.Members.GroupBy(member => member.Instance).Select(instance => job with
        {
            Id = Gang.IdOf(job.Id, instance.First().Number),
            OutputsOf = job.Id,
            Logs = [.. instance.Select(member => member.Log)],
        })];

    /// <summary>The task of the instance's process number <paramref name="index"/>.</summary>
    public TaskSpec Of(TaskSpec instance, StagedTask staged, Member member, int index)
    {
        var own = instance with
        {
            Id = Gang.IdOf(instance.Id, member.Number),
            LogPath = staged.LogPaths[index],
            Environment = JobVariables.Merge(GangVariables.Defaults, GangVariables.Of(gang, member, ports), instance.Environment),
            Limits = Share(instance.Limits, 1.0 / gang.PerInstance),
        };
        return gang.Kind is not GangKind.Mpi ? own : own with
        {
            Command = MpiCommand.Of(gang, own.Command, staged.LogViews[1]),
            Environment = JobVariables.Merge(GangVariables.OpenMpi, own.Environment),
            Limits = Share(instance.Limits, gang.Instances),
        };
    }

    private static TaskLimits Share(TaskLimits limits, double part) => limits with
    {
        MemoryBytes = limits.MemoryBytes is { } bytes ? (long)(bytes * part) : null,
        Cpus = limits.Cpus * part,
    };
}
