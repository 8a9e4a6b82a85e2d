using System.Collections.Frozen;
using Zaffre.Identity.Data;

namespace Zaffre.Identity.Access;

/// <summary>Principals and role assignments as of one commit. Immutable.</summary>
internal sealed class AccessSnapshot(
    IReadOnlyList<PrincipalRow> principals,
    IReadOnlyList<AssignmentRow> assignments)
{
    private readonly FrozenDictionary<string, PrincipalRow> byClientId =
        principals.ToFrozenDictionary(row => row.ClientId, StringComparer.OrdinalIgnoreCase);

    private readonly FrozenDictionary<string, PrincipalRow> byObjectId =
        principals.ToFrozenDictionary(row => row.ObjectId, StringComparer.OrdinalIgnoreCase);

    private readonly FrozenDictionary<string, AssignmentRow[]> byPrincipal = assignments
        .GroupBy(row => row.PrincipalId, StringComparer.OrdinalIgnoreCase)
        .ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<PrincipalRow> Principals { get; } = principals;

    public IReadOnlyList<AssignmentRow> Assignments { get; } = assignments;

    public PrincipalRow? FindClient(string clientId) => byClientId.GetValueOrDefault(clientId);

    public PrincipalRow? FindObject(string objectId) => byObjectId.GetValueOrDefault(objectId);

    public ReadOnlySpan<AssignmentRow> AssignmentsOf(string objectId) => byPrincipal.GetValueOrDefault(objectId);
}
