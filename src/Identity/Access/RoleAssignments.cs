using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Identity.Data;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Identity.Access;

/// <summary>Creates, lists and deletes role assignments.</summary>
internal sealed class RoleAssignments(IDatabase database, AccessDirectory directory, RoleCatalog roles, LocalOwner owner, TimeProvider time)
{
    private static readonly HashSet<string> Types = new(StringComparer.OrdinalIgnoreCase) { "User", "Group", "ServicePrincipal", "ForeignGroup", "Device" };

    private static readonly string[] Unserved = ["condition", "conditionVersion", "delegatedManagedIdentityResourceId"];

    public async Task<IReadOnlyList<AssignmentRow>> ListAsync(CancellationToken ct) => (await directory.GetAsync(ct)).Assignments;

    /// <summary>The assignment, and whether it is new.</summary>
    public async Task<Outcome<(AssignmentRow Row, bool Created)>> PutAsync(ArmId scope, string name, JsonObject body, Caller actor, CancellationToken ct)
    {
        if (!Read(scope, name, body, actor).TryGet(out var wanted, out var problem))
        {
            return problem;
        }

        if ((await directory.GetAsync(ct)).FindObject(wanted.PrincipalId) is null)
        {
            return ArmErrors.Invalid($"Principal {wanted.PrincipalId} does not exist in the directory.", "properties.principalId", "PrincipalNotFound");
        }

        return await database.WriteAsync(write => Put(write, wanted, actor), ct);
    }

    /// <summary>The deleted assignment, or null when there was none.</summary>
    public Task<AssignmentRow?> DeleteAsync(ArmId scope, string name, Caller actor, CancellationToken ct) => database.WriteAsync(
        write =>
        {
            if (AssignmentRows.Find(write, AssignmentRow.KeyOf(scope.Value), name.ToLowerInvariant()) is not { } row)
            {
                return null;
            }

            if (row.PrincipalId == owner.ObjectId && row.ScopeKey.Length == 0)
            {
                throw new ProblemException(ArmErrors.Conflict("The local owner's own role cannot be taken away: nobody could give it back.", "OwnerIsNeeded"));
            }

            AssignmentRows.Delete(write, row.ScopeKey, row.Name);
            Record(write, row, actor, "delete");
            return row;
        },
        ct);

    private static string IdOf(AssignmentRow row) => $"{row.Scope.TrimEnd('/')}/providers/Microsoft.Authorization/roleAssignments/{row.Name}";

    private Outcome<(AssignmentRow Row, bool Created)> Put(WriteScope write, AssignmentRow wanted, Caller actor)
    {
        var existing = AssignmentRows.Find(write, wanted.ScopeKey, wanted.Name);
        if (existing is null)
        {
            if (AssignmentRows.FindSame(write, wanted) is not null)
            {
                return ArmErrors.Conflict("The role assignment already exists.", "RoleAssignmentExists");
            }

            AssignmentRows.Insert(write, wanted);
            Record(write, wanted, actor, "write");
            return (wanted, true);
        }

        if (existing.RoleId != wanted.RoleId || existing.PrincipalId != wanted.PrincipalId)
        {
            return ArmErrors.Conflict("Tenant ID, application ID, principal ID, and scope are not allowed to be updated.", "RoleAssignmentUpdateNotPermitted");
        }

        AssignmentRows.Describe(write, wanted);
        Record(write, wanted, actor, "write");
        return (AssignmentRows.Find(write, wanted.ScopeKey, wanted.Name)!, false);
    }

    private void Record(WriteScope write, AssignmentRow row, Caller actor, string verb)
    {
        var payload = new JsonObject { ["principalId"] = row.PrincipalId, ["roleDefinitionId"] = row.RoleId };
        write.Append(new NewEvent(actor.ObjectId, "Microsoft.Authorization/roleAssignments/" + verb, IdOf(row), payload.ToJsonString()));
        directory.Changed(write);
    }

    private Outcome<AssignmentRow> Read(ArmId scope, string name, JsonObject body, Caller actor)
    {
        var properties = body.Object("properties") ?? [];
        var role = RoleOf(properties.Text("roleDefinitionId"));
        var principalType = properties.Text("principalType") ?? "ServicePrincipal";
        var problems = new List<Problem>();
        Require(Guid.TryParseExact(name, "D", out _), "name", "InvalidRoleAssignmentId", $"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.");
        Require(role is not null, "properties.roleDefinitionId", "RoleDefinitionDoesNotExist", $"The specified role definition with ID '{properties.Text("roleDefinitionId")}' does not exist.");
        Require(Guid.TryParse(properties.Text("principalId"), out var principal), "properties.principalId", "InvalidPrincipalId", "The principal id must be a GUID.");
        Require(Types.Contains(principalType), "properties.principalType", "InvalidPrincipalType", $"The principal type '{principalType}' is not one of {string.Join(", ", Types)}.");
        Require((properties.Text("description") ?? "").Length <= 1024, "properties.description", "InvalidDescription", "The description has at most 1024 characters.");
        foreach (var member in Unserved.Where(m => properties[m] is not null))
        {
            problems.Add(ArmErrors.Unsupported($"'{member}' on a role assignment", "properties." + member));
        }

        return problems.Count > 0 ? Problem.Combine(problems) : new AssignmentRow
        {
            ScopeKey = AssignmentRow.KeyOf(scope.Value),
            Name = name.ToLowerInvariant(),
            Scope = scope.Value,
            RoleId = role!.Id,
            PrincipalId = principal.ToString(),
            PrincipalType = principalType,
            Description = properties.Text("description"),
            CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
            CreatedBy = actor.ObjectId,
            UpdatedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };

        void Require(bool holds, string target, string code, string message)
        {
            if (!holds)
            {
                problems.Add(ArmErrors.Invalid(message, target, code));
            }
        }
    }

    private RoleDefinition? RoleOf(string? definitionId) => definitionId is null ? null : roles.Find(definitionId[(definitionId.LastIndexOf('/') + 1)..]);
}
