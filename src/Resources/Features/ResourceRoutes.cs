using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Resources;

/// <summary>GET, list, PUT and DELETE of one resource type.</summary>
internal sealed class ResourceRoutes(ArmResource type, IResources resources, IDatabase database, IOperations operations)
{
    public void Map(IEndpointRouteBuilder workspace)
    {
        var collection = type.Path[..type.Path.LastIndexOf('/')];
        workspace.MapGet(type.Path, GetAsync).Requires(type.Action + "/read");
        workspace.MapGet(collection, ListAsync).Requires(type.Action + "/read");
        if (type.Writable)
        {
            workspace.MapPut(type.Path, PutAsync).Requires(type.Action + "/write");
            workspace.MapDelete(type.Path, DeleteAsync).Requires(type.Action + "/delete");
        }
    }

    private async Task<IResult> GetAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        var call = CallOf(context, workspace);
        if (await type.FindAsync(call, resources, ct) is not { } found)
        {
            return ArmResults.Problem(ArmErrors.NotFound(call.Id));
        }

        var answer = await RenderAsync(call, found, ct);
        StoredOnly.Mark(context, type, found.Document);
        if (answer.Object("properties")?.Text("provisioningState") is { } state && !Terminal.Contains(state))
        {
            // Who polls the resource itself waits 30 s when nobody says how long.
            context.Response.Headers.RetryAfter = "1";
        }

        return ArmResults.Ok(answer, found.ETag);
    }

    private async Task<IResult> ListAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        var collection = IdOf(context, workspace, type.Path[..type.Path.LastIndexOf('/')]);
        var at = collection.LastIndexOf('/');
        var query = ListParameters.Read(context.Request.Query, type) with { Parent = new ArmId(collection[..at]), Type = collection[(at + 1)..] };
        query = query with { Where = resource => type.Matches(context.Request.Query, resource) };
        var page = await type.ListAsync(CallOf(context, workspace) with { Id = new ArmId(collection) }, query, resources, ct);
        var items = new List<JsonNode>(page.Items.Count);
        foreach (var resource in page.Items)
        {
            items.Add(await RenderAsync(CallOf(context, workspace) with { Id = resource.Id }, resource, ct));
        }

        return ArmResults.Page(context, items, page.Next);
    }

    private async Task<IResult> PutAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        var call = CallOf(context, workspace);
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var unreadable))
        {
            return ArmResults.Problem(unreadable);
        }

        var problems = NameProblems(context).Concat(ResourceDocument.Missing(body, type.Required)).ToList();
        if (problems.Count > 0)
        {
            return ArmResults.Problem(Problem.Combine(problems));
        }

        var existing = await resources.FindAsync(call.Id, ct);
        if (!(await type.PrepareAsync(call, body, existing, ct)).TryGet(out var document, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var (before, after, operation) = await database.WriteAsync(
            scope =>
            {
                var present = resources.Find(scope, call.Id);
                var written = resources.Put(scope, present?.Id ?? call.Id, document, call.Caller, context.PutCondition());
                type.OnPut(scope, call, present, written);
                return (present, resources.Find(scope, call.Id)!, type.AnswersWithOperation ? Ended(scope, written) : null);
            },
            ct);
        var answer = await RenderAsync(call, after, ct);
        StoredOnly.Mark(context, type, after.Document);
        var status = before is null ? type.CreatedStatus : StatusCodes.Status200OK;
        return operation is null ? ArmResults.Json(status, answer, after.ETag) : ArmResults.Started(context, status, answer, operation);
    }

    private Operation Ended(WriteScope scope, Resource written)
    {
        var operation = operations.Start(scope, written.Id, written.Document.Text("location") ?? "local");
        operations.Succeed(scope, operation.Id);
        return operation;
    }

    private async Task<IResult> DeleteAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        var call = CallOf(context, workspace);
        var deleted = await database.WriteAsync(
            scope =>
            {
                if (resources.Find(scope, call.Id) is not { } present)
                {
                    return false;
                }

                type.OnDelete(scope, call, present);
                return resources.Delete(scope, call.Id, call.Caller, context.PutCondition());
            },
            ct);
        return deleted ? Results.Ok() : ArmResults.NoContent();
    }

    private async Task<JsonObject> RenderAsync(ResourceCall call, Resource resource, CancellationToken ct)
    {
        var answer = ResourceDocument.Answer(resource);
        await type.RenderAsync(call, resource, answer, ct);
        return answer;
    }

    private ResourceCall CallOf(HttpContext context, WorkspaceRef workspace) => new(
        new ArmId(IdOf(context, workspace, type.Path)), workspace, context.Caller(), context.Request.Query["api-version"].ToString(), context);

    private string IdOf(HttpContext context, WorkspaceRef workspace, string path) => workspace.Id + "/" + Placeholder.Replace(
        path, match => type.Canonical(match.Groups["part"].Value, context.Request.RouteValues[match.Groups["part"].Value]?.ToString() ?? ""));

    private IEnumerable<Problem> NameProblems(HttpContext context)
    {
        foreach (Match match in Placeholder.Matches(type.Path))
        {
            var part = match.Groups["part"].Value;
            if (type.NameProblem(part, context.Request.RouteValues[part]?.ToString() ?? "") is { } reason)
            {
                yield return ArmErrors.Invalid(reason, part);
            }
        }
    }

    private static readonly HashSet<string> Terminal = new(["Succeeded", "Failed", "Canceled"], StringComparer.OrdinalIgnoreCase);

    private static readonly Regex Placeholder = new(@"\{(?<part>\w+)\}", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
}
