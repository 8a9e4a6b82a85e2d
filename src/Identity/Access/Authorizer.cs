using Zaffre.Identity.Data;
using Zaffre.Web;

namespace Zaffre.Identity.Access;

/// <summary>
/// The union of the caller's role assignments at the scope and above. A job acts as a Data Scientist of its own workspace,
/// with its blobs, and has no rights anywhere else.
/// </summary>
internal sealed class Authorizer(AccessDirectory directory, RoleCatalog roles) : IAuthorizer
{
    public ValueTask<bool> AllowsAsync(Caller caller, string action, ArmId scope, bool isDataAction, CancellationToken ct)
    {
        if (caller.Job is { } job)
        {
            return new(JobMay(job, action, scope, isDataAction));
        }

        if (IsOpenToMembers(action, scope))
        {
            return new(true);
        }

        var snapshot = directory.GetAsync(ct);
        return snapshot.IsCompletedSuccessfully
            ? new(Allows(snapshot.Result, caller, action, scope, isDataAction))
            : SlowAsync(snapshot, caller, action, scope, isDataAction);
    }

    public async ValueTask<bool> AllowsBelowAsync(Caller caller, string action, ArmId scope, CancellationToken ct)
    {
        var top = new AssignmentRow { ScopeKey = AssignmentRow.KeyOf(scope.Value) };
        if (caller.Job is { } job)
        {
            return WorkspaceRef.TryParse(job.Value, out var workspace, out _) && top.Covers(workspace.Id.Key) && JobMay(job, action, workspace.Id, isDataAction: false);
        }

        var snapshot = await directory.GetAsync(ct);
        foreach (var assignment in snapshot.AssignmentsOf(caller.ObjectId))
        {
            if (top.Covers(assignment.ScopeKey) && roles.Find(assignment.RoleId) is { } role && role.Allows(action, isDataAction: false))
            {
                return true;
            }
        }

        return false;
    }

    private async ValueTask<bool> SlowAsync(ValueTask<AccessSnapshot> snapshot, Caller caller, string action, ArmId scope, bool isDataAction) =>
        Allows(await snapshot, caller, action, scope, isDataAction);

    private bool Allows(AccessSnapshot snapshot, Caller caller, string action, ArmId scope, bool isDataAction)
    {
        var key = AssignmentRow.KeyOf(scope.Value);
        foreach (var assignment in snapshot.AssignmentsOf(caller.ObjectId))
        {
            if (assignment.Covers(key) && roles.Find(assignment.RoleId) is { } role && role.Allows(action, isDataAction))
            {
                return true;
            }
        }

        return false;
    }

    private bool JobMay(ArmId job, string action, ArmId scope, bool isDataAction)
    {
        if (!WorkspaceRef.TryParse(job.Value, out var workspace, out _))
        {
            return false;
        }

        var covers = new AssignmentRow { ScopeKey = workspace.Id.Key }.Covers(AssignmentRow.KeyOf(scope.Value));
        var role = isDataAction ? RoleCatalog.BlobDataContributor : RoleCatalog.DataScientist;
        return covers && roles.Find(role)!.Allows(action, isDataAction);
    }

    /// <summary>What every principal of the tenant may read: which tenant this is, and which subscriptions it can see.</summary>
    private static bool IsOpenToMembers(string action, ArmId scope) =>
        scope.Value is "" or "/"
        && (action.Equals("Microsoft.Resources/subscriptions/read", StringComparison.OrdinalIgnoreCase)
            || action.Equals("Microsoft.Resources/tenants/read", StringComparison.OrdinalIgnoreCase));
}
