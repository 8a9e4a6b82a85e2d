using Zaffre.Identity.Data;
using Zaffre.Identity.Tokens;
using Zaffre.Web;

namespace Zaffre.Identity.Access;

/// <inheritdoc cref="ITokenAccess"/>
internal sealed class TokenAccess(AccessDirectory directory, RoleCatalog roles, SigningKeys keys, Authority authority) : ITokenAccess
{
    public string Issuer => AccessClaims.Issuer(authority.TenantId);

    public IReadOnlyCollection<string> Audiences => Tokens.Audiences.MachineLearning;

    public IReadOnlyDictionary<string, string> PublicKeys => keys.Live.ToDictionary(key => key.Id, key => Convert.ToBase64String(key.ExportPublic()), StringComparer.Ordinal);

    public async Task<IReadOnlyList<string>> HoldersAsync(string action, ArmId scope, CancellationToken ct)
    {
        var key = AssignmentRow.KeyOf(scope.Value);
        var snapshot = await directory.GetAsync(ct);
        return [.. snapshot.Assignments
            .Where(assignment => assignment.Covers(key) && snapshot.FindObject(assignment.PrincipalId) is not null && roles.Find(assignment.RoleId) is { } role && role.Allows(action, isDataAction: false))
            .Select(assignment => assignment.PrincipalId)
            .Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    public void OnChanged(Action listener) => directory.OnForgotten(listener);
}
