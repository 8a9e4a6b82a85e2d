using System.Collections.Frozen;
using Zaffre.Identity.Data;

namespace Zaffre.Identity.Access;

/// <summary>Principals, role assignments and live job tokens as of one commit. Immutable.</summary>
internal sealed class AccessSnapshot(
    IReadOnlyList<PrincipalRow> principals,
    IReadOnlyList<AssignmentRow> assignments,
    IReadOnlyList<JobTokenRow> jobTokens)
{
    private readonly FrozenDictionary<string, PrincipalRow> byClientId =
        principals.ToFrozenDictionary(row => row.ClientId, StringComparer.OrdinalIgnoreCase);

    private readonly FrozenDictionary<string, PrincipalRow> byObjectId =
        principals.ToFrozenDictionary(row => row.ObjectId, StringComparer.OrdinalIgnoreCase);

    private readonly FrozenDictionary<string, AssignmentRow[]> byPrincipal = assignments
        .GroupBy(row => row.PrincipalId, StringComparer.OrdinalIgnoreCase)
        .ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.OrdinalIgnoreCase);

    private readonly FrozenDictionary<string, string> tokenOfJob =
        jobTokens.ToFrozenDictionary(row => row.JobKey, row => row.TokenId, StringComparer.Ordinal);

    public IReadOnlyList<PrincipalRow> Principals { get; } = principals;

    public IReadOnlyList<AssignmentRow> Assignments { get; } = assignments;

    public PrincipalRow? FindClient(string clientId) => byClientId.GetValueOrDefault(clientId);

    public PrincipalRow? FindObject(string objectId) => byObjectId.GetValueOrDefault(objectId);

    public ReadOnlySpan<AssignmentRow> AssignmentsOf(string objectId) => byPrincipal.GetValueOrDefault(objectId);

    public bool IsLive(string jobKey, string tokenId) =>
        tokenOfJob.TryGetValue(jobKey, out var live) && string.Equals(live, tokenId, StringComparison.Ordinal);
}
