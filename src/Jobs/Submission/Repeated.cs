using System.Security.Cryptography;
using System.Text;
using Zaffre.Jobs.Data;

namespace Zaffre.Jobs.Submission;

/// <summary>
/// What a job takes over from the one that it repeats: its name <paramref name="Job"/>, its seed, and the locks of the environments that its commands began in.
/// </summary>
internal sealed record Repeated(string Job, PlannedSeed? Seed)
{
    /// <summary>The lock of a command that has no steps; null when it has none, or the environment is to be as it is now.</summary>
    public string? Lock { get; init; }

    /// <summary>The locks of the steps, when it is a pipeline.</summary>
    public IReadOnlyList<StepLock> Steps { get; init; } = [];

    /// <summary>
    /// The lock for the command at <paramref name="way"/>: that of the same step; of a step that has none (an iteration, one that was not reached) that of any
    /// other in the same environment on the same compute.
    /// </summary>
    public string? LockFor(string way, string environment, string compute) => Lock
        ?? (Steps.LastOrDefault(step => step.Way.Equals(way, StringComparison.OrdinalIgnoreCase) && step.Environment == environment)
            ?? Steps.LastOrDefault(step => step.Environment == environment && step.Compute == compute))?.Lock;
}

/// <summary>
/// The seed of a submission, from which each of its steps has one of its own, by <see cref="Of"/>: the same whenever the submission is repeated, also when a step is
/// repeated by itself. <paramref name="Below"/> is where in the first submission such a step was.
/// </summary>
internal sealed record PlannedSeed(int Submission, string? Below)
{
    /// <summary>A new one, from 1 on; every library that wants 32 bits, with a sign or without, takes it.</summary>
    public static PlannedSeed New() => new(RandomNumberGenerator.GetInt32(1, int.MaxValue), null);

    /// <summary>The place of a job in the first submission; empty for the submission itself.</summary>
    public string WayOf(string root, string job) => string.Join('_', new[] { Below ?? "", LockTable.WayOf(root, job) }.Where(part => part.Length > 0));

    /// <summary>The seed of a job below <paramref name="root"/>, from 1 on.</summary>
    public int Of(string root, string job)
    {
        var way = WayOf(root, job);
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{Submission} {way.ToLowerInvariant()}")));
        return way.Length == 0 ? Submission : Math.Max(1, (int)(BitConverter.ToUInt32(digest) >> 1));
    }
}
