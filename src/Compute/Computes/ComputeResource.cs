using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Compute.Computes;

/// <summary>Computes: <c>AmlCompute</c> and <c>ComputeInstance</c> are slots of this host; attached <c>VirtualMachine</c> and <c>Kubernetes</c> are kept, and are this host where the operator says so; other kinds are refused by name. <c>serverless</c> and <c>cpu-cluster</c> exist from the start.</summary>
internal sealed partial class ComputeResource(IWorkspaces workspaces, ComputeTargets targets) : ArmResource
{
    private static readonly string[] State = ["state", "lastOperation"];

    public override string Path => "computes/{name}";

    public override string Action => "workspaces/computes";

    public override bool AnswersWithOperation => true;

    public override IReadOnlyList<(string Path, JsonValueKind Kind)> Required => [("properties", JsonValueKind.Object), ("properties.computeType", JsonValueKind.String)];

    public override string? NameProblem(string part, string value) => LegalName().IsMatch(value)
        ? null
        : $"The compute name '{value}' is not valid: 2 to 32 letters, digits and '-', beginning with a letter and not ending with '-'.";

    public override Task<Outcome<JsonObject>> PrepareAsync(ResourceCall call, JsonObject body, Resource? existing, CancellationToken ct)
    {
        var properties = body.Object("properties")!;
        var type = properties.Text("computeType")!;
        if (ComputeBody.KindOf(properties) is null)
        {
            return Task.FromResult<Outcome<JsonObject>>(ArmErrors.Unsupported($"computes of type '{type}'", "properties.computeType"));
        }

        if (existing is not null && !string.Equals(existing.Properties.Text("computeType"), type, StringComparison.OrdinalIgnoreCase))
        {
            return Task.FromResult<Outcome<JsonObject>>(ArmErrors.Conflict($"The compute '{call.Id.Name}' exists as {existing.Properties.Text("computeType")}; its type cannot change."));
        }

        var problems = (ComputeBody.IsAttached(properties) ? ComputeBody.AttachedProblems(properties) : ComputeBody.Problems(properties)).ToList();
        if (problems.Count > 0)
        {
            return Task.FromResult<Outcome<JsonObject>>(Problem.Combine(problems));
        }

        ComputeBody.Forget(properties);
        KeepState(properties, existing);
        return Task.FromResult<Outcome<JsonObject>>(body);
    }

    public override IEnumerable<string> KeptOnly(JsonObject document) => StoredOnly.Present(document, ComputeBody.KeptOnly);

    public override void OnDelete(WriteScope scope, ResourceCall call, Resource resource)
    {
        if (resource.Id.Name.Equals(ComputeSeed.Serverless, StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(ArmErrors.Conflict("The compute 'serverless' is part of every workspace and cannot be deleted."));
        }

        if (!ComputeBody.IsAttached(resource.Properties) && "Detach".Equals(ListParameters.Value(call.Http.Request.Query, "underlyingResourceAction"), StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(ArmErrors.Invalid(
                $"The compute '{resource.Id.Name}' is a {resource.Properties.Text("computeType")} of this workspace and was never attached; delete it instead of detaching it.", "underlyingResourceAction"));
        }

        targets.RequireIdle(resource.Id);
    }

    public override async ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct)
    {
        var location = (await workspaces.FindAsync(call.Workspace, ct))?.Location;
        var properties = answer.Object("properties")!;
        var kind = ComputeBody.KindOf(properties) ?? ComputeBody.AmlCompute;
        answer["location"] ??= location;
        properties["computeType"] = kind;
        properties["computeLocation"] ??= answer.Text("location");
        properties["provisioningState"] = "Succeeded";
        properties["provisioningErrors"] = null;
        properties["isAttachedCompute"] = ComputeBody.IsAttached(properties);
        properties["createdOn"] = ResourceDocument.Wire(resource.CreatedAt);
        properties["modifiedOn"] = ResourceDocument.Wire(resource.LastModifiedAt);
        var inner = properties.Object("properties") ?? [];
        properties["properties"] = inner;
        if (kind == ComputeBody.AmlCompute)
        {
            RenderCluster(inner, resource);
        }
        else if (kind == ComputeBody.Instance)
        {
            inner["state"] = inner.Text("state") is { } state and not "Running" ? state : targets.TasksOn(resource.Id).Count > 0 ? "JobRunning" : "Running";
        }
    }

    private void RenderCluster(JsonObject inner, Resource resource)
    {
        var tasks = targets.TasksOn(resource.Id);
        var preparing = tasks.Count(task => task.Run is null);
        inner["vmPriority"] ??= "Dedicated";
        inner["osType"] ??= "Linux";
        inner["allocationState"] = "Steady";
        inner["allocationStateTransitionTime"] = ResourceDocument.Wire(resource.CreatedAt);
        inner["currentNodeCount"] = tasks.Count;
        inner["targetNodeCount"] = tasks.Count;
        inner["nodeStateCounts"] = new JsonObject { ["idleNodeCount"] = 0, ["runningNodeCount"] = tasks.Count - preparing, ["preparingNodeCount"] = preparing, ["unusableNodeCount"] = 0, ["leavingNodeCount"] = 0, ["preemptedNodeCount"] = 0 };
        var scale = inner.Object("scaleSettings") ?? [];
        scale["maxNodeCount"] ??= 1;
        scale["minNodeCount"] ??= 0;
        scale["nodeIdleTimeBeforeScaleDown"] ??= "PT120S";
        inner["scaleSettings"] = scale;
    }

    // Whether an instance runs is what start and stop say, not a PUT.
    private static void KeepState(JsonObject properties, Resource? existing)
    {
        var inner = properties.Object("properties") ?? [];
        foreach (var member in State)
        {
            inner.Remove(member);
            if (existing?.Properties.Object("properties")?[member] is { } present)
            {
                inner[member] = present.DeepClone();
            }
        }

        properties["properties"] = inner;
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9-]{0,30}[A-Za-z0-9]\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex LegalName();
}
