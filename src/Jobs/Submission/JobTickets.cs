using System.Collections.Concurrent;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission;

/// <summary>What a job needs at its start and is known when it is accepted: its token, and the id of its experiment.</summary>
internal sealed record JobTicket(string Token, string ExperimentId)
{
    /// <summary>Keeps the token out of logs and messages.</summary>
    public override string ToString() => nameof(JobTicket);
}

/// <summary>
/// Tickets between a job's acceptance and its start: the token is issued in the unit that accepts the job, so that the start needs no
/// write. After a restart a new one is issued instead; issuing revokes the earlier.
/// </summary>
internal sealed class JobTickets
{
    private readonly ConcurrentDictionary<string, JobTicket> tickets = new(StringComparer.Ordinal);

    public void Keep(ArmId job, JobTicket ticket) => tickets[job.Key] = ticket;

    public JobTicket? Take(ArmId job) => tickets.TryRemove(job.Key, out var ticket) ? ticket : null;
}
