using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Endpoints.Data;
using Zaffre.Endpoints.Online;
using Zaffre.Endpoints.Runtime;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Endpoints.Features;

/// <summary>
/// PUT and PATCH of a deployment: a long-running operation that ends when every instance of the new generation is ready, or when the first
/// one fails. While one runs, another is a conflict.
/// </summary>
internal sealed class WriteDeployment(
    IDatabase database, IResources resources, IOperations operations, DeploymentValidation validation, OnlineDeployment type, ServingSignals signals)
{
    private readonly IResources resources = resources;

    public static void Map(IEndpointRouteBuilder workspace)
    {
        workspace.MapPut(OnlineEndpoint.Type + "/{endpoint}/deployments/{name}", PutAsync).Requires("workspaces/onlineEndpoints/deployments/write");
        workspace.MapPatch(OnlineEndpoint.Type + "/{endpoint}/deployments/{name}", PatchAsync).Requires("workspaces/onlineEndpoints/deployments/write");
    }

    private static async Task<IResult> PutAsync(HttpContext context, WorkspaceRef workspace, string endpoint, string name, WriteDeployment write, CancellationToken ct)
    {
        var id = workspace.Child(OnlineEndpoint.Type, endpoint).Child("deployments", name);
        return (await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem)
            ? await write.AcceptAsync(context, workspace, id, body, ct)
            : ArmResults.Problem(problem);
    }

    private static async Task<IResult> PatchAsync(HttpContext context, WorkspaceRef workspace, string endpoint, string name, WriteDeployment write, CancellationToken ct)
    {
        var id = workspace.Child(OnlineEndpoint.Type, endpoint).Child("deployments", name);
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var patch, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        if (await write.resources.FindAsync(id, ct) is not { } present)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        var foreign = patch.Select(p => p.Key).Where(k => k is not ("tags" or "sku")).ToList();
        if (foreign.Count > 0)
        {
            return ArmResults.Problem(Problem.Combine([.. foreign.Select(k => ArmErrors.Invalid($"PATCH changes 'tags' and 'sku'; send a PUT to change '{k}'.", k))]));
        }

        return await write.AcceptAsync(context, workspace, id, MergePatch.Apply(present.Document, patch), ct);
    }

    private async Task<IResult> AcceptAsync(HttpContext context, WorkspaceRef workspace, ArmId id, JsonObject body, CancellationToken ct)
    {
        var problems = ResourceDocument.Missing(body, type.Required).ToList();
        if (type.NameProblem("name", id.Name) is { } badName)
        {
            problems.Add(ArmErrors.Invalid(badName, "name"));
        }

        if (problems.Count > 0)
        {
            return ArmResults.Problem(Problem.Combine(problems));
        }

        if (await resources.FindAsync(id.Parent, ct) is null)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id.Parent));
        }

        if (await validation.CheckAsync(workspace, body, ct) is { } invalid)
        {
            return ArmResults.Problem(invalid);
        }

        var condition = new PutCondition(context.Request.Headers.IfMatch is [{ } match] ? match : null, context.Request.Headers.IfNoneMatch is [{ } none] ? none : null);
        var caller = context.Caller();
        var (created, operation, row, after) = await database.WriteAsync(
            scope =>
            {
                if (resources.Find(scope, id.Parent) is null)
                {
                    throw new ProblemException(ArmErrors.NotFound(id.Parent));
                }

                var present = DeploymentStore.Find(scope, id);
                if (present is not null && DeploymentState.IsMoving(present.State))
                {
                    throw new ProblemException(ArmErrors.Conflict($"An operation on deployment '{id.Name}' is running (state {present.State}). Wait for it to end, or delete the deployment.", "OperationInProgress"));
                }

                var stored = resources.Put(scope, present?.Id ?? id, body, caller, condition);
                var started = operations.Start(scope, stored.Id, body.Text("location")!);
                var key = present?.RowKey ?? Guid.NewGuid().ToString("N");
                if (present is null)
                {
                    DeploymentStore.Create(scope, key, stored.Id, body, started.Id);
                }
                else
                {
                    DeploymentStore.Update(scope, present, body, started.Id);
                }

                scope.OnCommitted(() => signals.Deployment(key));
                return (present is null, started, DeploymentStore.Find(scope, id), stored);
            },
            ct);
        StoredOnly.Mark(context, type, after.Document);
        return ArmResults.Started(context, created ? 201 : 200, OnlineDeployment.Render(ResourceDocument.Answer(after), row), operation);
    }
}
