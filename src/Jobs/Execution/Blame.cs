using Zaffre.Compute;
using Zaffre.Jobs.Submission;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution;

/// <summary>Whose failure a failure is: the process, null when there is only one or none is known, and the log that shows the cause.</summary>
internal sealed record Blame(string? Who, string Log)
{
    public static async Task<Blame> OfAsync(GangEnd end, JobPlan plan, IBlobStore store, CancellationToken ct)
    {
        if (plan.Gang is not { Kind: GangKind.Mpi } gang)
        {
            return new Blame(end.Member.Name, end.Member.Log);
        }

        // mpirun's own end says how, and its log of which process.
        var text = await LogTail.ReadAsync(store, plan.Artifacts.Child(MpiCommand.Log), ct) ?? "";
        return MpiCommand.FailedRank(text) is { } rank && rank < gang.Processes
            ? new Blame(gang.Members[rank].Name, gang.Members[rank].Log)
            : new Blame(null, MpiCommand.Log);
    }

    /// <summary>What a failed verdict says of the process; the other verdicts are everybody's.</summary>
    public Verdict Name(Verdict verdict, int of) => Who is null || verdict.Status != JobStatus.Failed
        ? verdict
        : verdict with { Message = $"{char.ToUpperInvariant(Who[0])}{Who[1..]} of {of} processes failed{(of > 1 ? ", and the others were ended" : "")}. {verdict.Message}" };
}
