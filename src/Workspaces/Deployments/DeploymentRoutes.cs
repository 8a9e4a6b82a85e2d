using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>
/// Template deployments in a resource group: as far as azure-ai-ml creates workspaces by them. A deployment is done when its PUT is answered,
/// so there is nothing to poll or cancel. Its operations are also asked for without the provider's segment.
/// </summary>
internal static class DeploymentRoutes
{
    private const string Action = "Microsoft.Resources/deployments/";
    private const string Group = "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}";
    private const string InGroup = Group + "/providers/Microsoft.Resources/deployments";
    private const string InSubscription = "/subscriptions/{subscriptionId}/providers/Microsoft.Resources/deployments";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var routes = endpoints.MapGroup("");
        routes.AddEndpointFilter(ResourceGroupRoutes.OnlyOurSubscriptionAsync);
        routes.MapGet(InGroup, ListAsync).Requires(Action + "read");
        routes.MapGet(InGroup + "/{deploymentName}", GetAsync).Requires(Action + "read");
        routes.MapMethods(InGroup + "/{deploymentName}", [HttpMethods.Head], ExistsAsync).Requires(Action + "read");
        routes.MapPut(InGroup + "/{deploymentName}", PutAsync).Requires(Action + "write");
        routes.MapPost(InGroup + "/{deploymentName}/validate", ValidateAsync).Requires(Action + "validate/action");
        routes.MapPost(InGroup + "/{deploymentName}/cancel", CancelAsync).Requires(Action + "cancel/action");
        routes.MapPost(InGroup + "/{deploymentName}/whatIf", () => Refuse("what-if of deployments")).Requires(Action + "whatIf/action");
        routes.MapPost(InGroup + "/{deploymentName}/exportTemplate", () => Refuse("exporting the template of a deployment, which is not kept")).Requires(Action + "exportTemplate/action");
        routes.MapDelete(InGroup + "/{deploymentName}", DeleteAsync).Requires(Action + "delete");
        routes.MapGet(InGroup + "/{deploymentName}/operations", OperationsAsync).Requires(Action + "operations/read");
        routes.MapGet(Group + "/deployments/{deploymentName}/operations", OperationsAsync).Requires(Action + "operations/read");
        routes.MapGet(InSubscription, (HttpContext context) => ArmResults.Page(context, [], null)).Requires(Action + "read");
        routes.MapPut(InSubscription + "/{deploymentName}", () => Refuse("deployments to a subscription")).Requires(Action + "write");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IResources resources, CancellationToken ct)
    {
        var route = context.Request.RouteValues;
        var group = new ArmId($"/subscriptions/{route["subscriptionId"]}/resourceGroups/{route["resourceGroupName"]}");
        if (await resources.FindAsync(group, ct) is null)
        {
            return ArmResults.Problem(new Problem(ProblemKind.NotFound, "ResourceGroupNotFound", $"Resource group '{group.Name}' could not be found."));
        }

        var page = await resources.ListAsync(Deployments.In(group) with { Continuation = context.Request.Query["$skip"] }, ct);
        return ArmResults.Page(context, page.Items.Select(ResourceDocument.Answer), page.Next);
    }

    private static async Task<IResult> GetAsync(HttpContext context, IResources resources, CancellationToken ct) =>
        await resources.FindAsync(IdOf(context), ct) is { } found ? ArmResults.Ok(ResourceDocument.Answer(found)) : ArmResults.Problem(NotFound(context));

    private static async Task<IResult> ExistsAsync(HttpContext context, IResources resources, CancellationToken ct) =>
        await resources.FindAsync(IdOf(context), ct) is null ? Results.StatusCode(StatusCodes.Status404NotFound) : ArmResults.NoContent();

    private static async Task<IResult> PutAsync(HttpContext context, Deployments deployments, CancellationToken ct) =>
        (await JsonBody.ReadAsync(context.Request, TemplateText.ToJson, ct)).TryGet(out var body, out var unreadable)
            ? ArmResults.From(
                await deployments.RunAsync(context.Caller(), IdOf(context), body, ct),
                ran => ArmResults.Json(ran.Created ? StatusCodes.Status201Created : StatusCodes.Status200OK, ResourceDocument.Answer(ran.Deployment)))
            : ArmResults.Problem(unreadable);

    private static async Task<IResult> ValidateAsync(HttpContext context, Deployments deployments, CancellationToken ct) =>
        (await JsonBody.ReadAsync(context.Request, TemplateText.ToJson, ct)).TryGet(out var body, out var unreadable)
            ? ArmResults.From(await deployments.ValidateAsync(context.Caller(), IdOf(context), body, ct), valid => ArmResults.Ok(valid))
            : ArmResults.Problem(unreadable);

    private static async Task<IResult> CancelAsync(HttpContext context, IResources resources, CancellationToken ct) =>
        await resources.FindAsync(IdOf(context), ct) is null
            ? ArmResults.Problem(NotFound(context))
            : ArmResults.Problem(ArmErrors.Conflict($"The deployment '{IdOf(context).Name}' has ended and cannot be canceled.", "DeploymentCannotBeCancelled"));

    private static async Task<IResult> DeleteAsync(HttpContext context, Database.IDatabase database, IResources resources, CancellationToken ct)
    {
        await database.WriteAsync(scope => resources.Delete(scope, IdOf(context), context.Caller()), ct);
        return ArmResults.NoContent();
    }

    private static async Task<IResult> OperationsAsync(HttpContext context, IResources resources, CancellationToken ct) =>
        await resources.FindAsync(IdOf(context), ct) is { } found
            ? ArmResults.Page(context, [Deployments.Operation(found)], null)
            : ArmResults.Problem(NotFound(context));

    private static ArmId IdOf(HttpContext context)
    {
        var route = context.Request.RouteValues;
        return new($"/subscriptions/{route["subscriptionId"]}/resourceGroups/{route["resourceGroupName"]}/providers/Microsoft.Resources/deployments/{route["deploymentName"]}");
    }

    private static Problem NotFound(HttpContext context) =>
        new(ProblemKind.NotFound, "DeploymentNotFound", $"Deployment '{IdOf(context).Name}' could not be found.");

    private static IResult Refuse(string what) => ArmResults.Problem(ArmErrors.Unsupported(what));
}
