using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Compute.Computes;

/// <summary>PATCH of a cluster's scale settings, and <c>updateIdleShutdownSetting</c> of an instance, which is kept only.</summary>
internal static class ChangeCompute
{
    public static void Map(IEndpointRouteBuilder workspace)
    {
        workspace.MapPatch("computes/{name}", ScaleAsync).Requires("workspaces/computes/write");
        workspace.MapPost("computes/{name}/updateIdleShutdownSetting", IdleAsync).Requires("workspaces/computes/updateIdleShutdownSetting/action");
    }

    private static async Task<IResult> ScaleAsync(HttpContext http, WorkspaceRef workspace, string name, ComputeResource type, ComputeChanges changes, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(http.Request, ct)).TryGet(out var body, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        if (body.Object("properties")?.Object("properties")?.Object("scaleSettings") is not { } scale)
        {
            return ArmResults.Problem(ArmErrors.Invalid("PATCH changes 'properties.properties.scaleSettings'; send a PUT to change anything else.", "properties.properties.scaleSettings"));
        }

        var written = await changes.WriteAsync(http, workspace.Child("computes", name), isInstance: false, inner => Scale(inner, scale), ct);
        var answer = ResourceDocument.Answer(written);
        await type.RenderAsync(new ResourceCall(written.Id, workspace, http.Caller(), "", http), written, answer, ct);
        return ArmResults.Ok(answer, written.ETag);
    }

    private static void Scale(JsonObject inner, JsonObject change)
    {
        var scale = inner.Object("scaleSettings")?.Copy() ?? [];
        foreach (var (member, value) in change)
        {
            scale[member] = value?.DeepClone();
        }

        if (ComputeBody.ScaleProblems(scale).ToList() is { Count: > 0 } problems)
        {
            throw new ProblemException(Problem.Combine(problems));
        }

        inner["scaleSettings"] = scale;
    }

    private static async Task<IResult> IdleAsync(HttpContext http, WorkspaceRef workspace, string name, ComputeResource type, ComputeChanges changes, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(http.Request, ct)).TryGet(out var body, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var idle = body.Text("idleTimeBeforeShutdown");
        if (body["idleTimeBeforeShutdown"] is not null && ComputeBody.IdleProblem(idle) is { } wrong)
        {
            return ArmResults.Problem(wrong);
        }

        var written = await changes.WriteAsync(http, workspace.Child("computes", name), isInstance: true, inner => inner["idleTimeBeforeShutdown"] = idle, ct);
        StoredOnly.Mark(http, type, written.Document);
        return Results.Ok();
    }
}

/// <summary>Changes members of a compute in one unit.</summary>
internal sealed class ComputeChanges(IDatabase database, IResources resources)
{
    /// <summary>The compute after <paramref name="change"/> was applied to its <c>properties.properties</c>; throws the problem.</summary>
    public Task<Resource> WriteAsync(HttpContext http, ArmId id, bool isInstance, Action<JsonObject> change, CancellationToken ct)
    {
        var caller = http.Caller();
        return database.WriteAsync(
            scope =>
            {
                var found = resources.Find(scope, id) ?? throw new ProblemException(ArmErrors.NotFound(id));
                if (ComputeBody.KindOf(found.Properties) != (isInstance ? ComputeBody.Instance : ComputeBody.AmlCompute))
                {
                    throw new ProblemException(ArmErrors.Invalid($"'{id.Name}' is a {found.Properties.Text("computeType")}; this changes a {(isInstance ? ComputeBody.Instance : ComputeBody.AmlCompute)}.", code: "OperationNotSupported"));
                }

                var document = found.Document.Copy();
                var properties = document.Object("properties")!;
                var inner = properties.Object("properties") ?? [];
                change(inner);
                properties["properties"] = inner;
                return resources.Put(scope, found.Id, document, caller, http.PutCondition());
            },
            ct);
    }
}
