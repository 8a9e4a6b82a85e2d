using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Identity;

/// <summary>
/// Tokens that the server hands out itself. A job's token acts as a member of the job's workspace (read, write and run
/// below it, no role changes, no keys) and is valid from the commit that issued it until it is revoked. Thread safe.
/// </summary>
public interface ITokens
{
    /// <summary>Issues the bearer token of a job, for the management and data plane; issuing again revokes the earlier one.</summary>
    Task<string> IssueForJobAsync(ArmId job, CancellationToken ct);

    /// <summary>As <see cref="IssueForJobAsync"/>, inside a write unit: the token is valid once the unit is committed.</summary>
    string IssueForJob(WriteScope scope, ArmId job);

    /// <summary>When a token of this server ends by its own claim; null for one that is none of this server's.</summary>
    DateTimeOffset? ExpiryOf(string token);

    /// <summary>Ends the job's token with the unit that ends the job. Does nothing when there is none.</summary>
    void RevokeJob(WriteScope scope, ArmId job);
}
