using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>Creates or replaces a workspace, for the PUT of the workspace itself and for template deployments.</summary>
internal sealed class PutWorkspace(WorkspaceStore store, IDatabase database, IResources resources, IScopes scopes, IAuthorizer authorizer)
{
    /// <summary>The workspace as it is then, or everything wrong with the body.</summary>
    public async Task<Outcome<Resource>> PutAsync(Caller caller, WorkspaceRef workspace, JsonObject body, PutCondition condition, CancellationToken ct)
    {
        var document = WorkspaceDocument.ForStore(body);
        if (await CheckAsync(caller, workspace, body, document, ct) is { } problem)
        {
            return problem;
        }

        return await resources.FindAsync(workspace.Id, ct) is null
            ? await store.CreateAsync(workspace, document, caller, condition, ct)
            : await database.WriteAsync(
                scope =>
                {
                    var present = resources.Find(scope, workspace.Id) ?? throw new ProblemException(ArmErrors.NotFound(workspace.Id));
                    WorkspaceKind.Keep(present, document);
                    return resources.Put(scope, present.Id, document, caller, condition);
                },
                ct);
    }

    /// <summary>What of a body cannot be applied to this workspace, or null; nothing is written.</summary>
    public async Task<Problem?> CheckAsync(Caller caller, WorkspaceRef workspace, JsonObject body, JsonObject document, CancellationToken ct)
    {
        var present = await resources.FindAsync(workspace.Id, ct);
        var problems = WorkspaceDocument.Problems(body, workspace.Name);
        IReadOnlyList<Problem> all = present is null ? [.. problems, .. WorkspaceKind.Problems(body)] : problems;
        if (all.Count > 0)
        {
            return Problem.Combine(all);
        }

        if (!await scopes.ExistsAsync(workspace.Group, ct))
        {
            return new Problem(ProblemKind.NotFound, "ResourceGroupNotFound", $"Resource group '{workspace.ResourceGroup}' could not be found.");
        }

        const string Join = $"{Routes.Provider}/workspaces/hubs/join/action";
        if (WorkspaceKind.HubOf(document) is { } hub && !await authorizer.AllowsAsync(caller, Join, hub, isDataAction: false, ct))
        {
            return ArmErrors.Forbidden(caller, Join, hub);
        }

        var place = await store.FindAsync(workspace, ct);
        return place is not null && document.Text("location") is { } moved && !moved.Equals(place.Location, StringComparison.OrdinalIgnoreCase)
            ? ArmErrors.Conflict($"The workspace '{workspace.Name}' is in location '{place.Location}' and cannot move to '{moved}'.", "InvalidResourceLocation")
            : null;
    }
}
