using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Compute.Computes;

/// <summary>Computes: <c>AmlCompute</c> and <c>ComputeInstance</c> are slots of this host; other kinds are refused by name. <c>serverless</c> and <c>cpu-cluster</c> exist from the start.</summary>
internal sealed partial class ComputeResource(IWorkspaces workspaces) : ArmResource
{
    private const string AmlCompute = "AmlCompute";
    private const string Instance = "ComputeInstance";

    public override string Path => "computes/{name}";

    public override string Action => "workspaces/computes";

    public override IReadOnlyList<(string Path, JsonValueKind Kind)> Required => [("properties", JsonValueKind.Object), ("properties.computeType", JsonValueKind.String)];

    public override string? NameProblem(string part, string value) => LegalName().IsMatch(value)
        ? null
        : $"The compute name '{value}' is not valid: 2 to 32 letters, digits and '-', beginning with a letter and not ending with '-'.";

    public override Task<Outcome<JsonObject>> PrepareAsync(ResourceCall call, JsonObject body, Resource? existing, CancellationToken ct)
    {
        var properties = body.Object("properties")!;
        var type = properties.Text("computeType")!;
        if (!type.Equals(AmlCompute, StringComparison.OrdinalIgnoreCase) && !type.Equals(Instance, StringComparison.OrdinalIgnoreCase))
        {
            return Task.FromResult<Outcome<JsonObject>>(ArmErrors.Unsupported($"computes of type '{type}'", "properties.computeType"));
        }

        if (existing is not null && !string.Equals(existing.Properties.Text("computeType"), type, StringComparison.OrdinalIgnoreCase))
        {
            return Task.FromResult<Outcome<JsonObject>>(ArmErrors.Conflict($"The compute '{call.Id.Name}' exists as {existing.Properties.Text("computeType")}; its type cannot change."));
        }

        var problems = ScaleProblems(properties.Object("properties")?.Object("scaleSettings")).ToList();
        if (problems.Count > 0)
        {
            return Task.FromResult<Outcome<JsonObject>>(Problem.Combine(problems));
        }

        if (existing?.Properties.Object("properties")?.Text("state") is { } state)
        {
            var inner = properties.Object("properties") ?? [];
            inner["state"] = state;
            properties["properties"] = inner;
        }

        return Task.FromResult<Outcome<JsonObject>>(body);
    }

    public override void OnDelete(WriteScope scope, ResourceCall call, Resource resource)
    {
        if (resource.Id.Name.Equals(ComputeSeed.Serverless, StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(ArmErrors.Conflict("The compute 'serverless' is part of every workspace and cannot be deleted."));
        }
    }

    public override async ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct)
    {
        var location = (await workspaces.FindAsync(call.Workspace, ct))?.Location;
        var properties = answer.Object("properties")!;
        var isCluster = properties.Text("computeType")!.Equals(AmlCompute, StringComparison.OrdinalIgnoreCase);
        answer["location"] ??= location;
        properties["computeType"] = isCluster ? AmlCompute : Instance;
        properties["computeLocation"] ??= answer.Text("location");
        properties["provisioningState"] = "Succeeded";
        properties["provisioningErrors"] = null;
        properties["isAttachedCompute"] = false;
        properties["createdOn"] = ResourceDocument.Wire(resource.CreatedAt);
        properties["modifiedOn"] = ResourceDocument.Wire(resource.LastModifiedAt);
        var inner = properties.Object("properties") ?? [];
        properties["properties"] = inner;
        if (isCluster)
        {
            RenderCluster(inner, resource);
        }
        else
        {
            inner["state"] ??= "Running";
        }
    }

    private static void RenderCluster(JsonObject inner, Resource resource)
    {
        inner["vmPriority"] ??= "Dedicated";
        inner["osType"] ??= "Linux";
        inner["allocationState"] = "Steady";
        inner["allocationStateTransitionTime"] = ResourceDocument.Wire(resource.CreatedAt);
        inner["currentNodeCount"] = 0;
        inner["targetNodeCount"] = 0;
        inner["nodeStateCounts"] = new JsonObject { ["idleNodeCount"] = 0, ["runningNodeCount"] = 0, ["preparingNodeCount"] = 0, ["unusableNodeCount"] = 0, ["leavingNodeCount"] = 0, ["preemptedNodeCount"] = 0 };
        var scale = inner.Object("scaleSettings") ?? [];
        scale["maxNodeCount"] ??= 1;
        scale["minNodeCount"] ??= 0;
        scale["nodeIdleTimeBeforeScaleDown"] ??= "PT120S";
        inner["scaleSettings"] = scale;
    }

    private static IEnumerable<Problem> ScaleProblems(JsonObject? scale)
    {
        const string at = "properties.properties.scaleSettings";
        foreach (var name in new[] { "minNodeCount", "maxNodeCount" })
        {
            if (scale?[name] is { } node && !(node is JsonValue value && value.TryGetValue<int>(out var count) && count is >= 0 and <= 1000))
            {
                yield return ArmErrors.Invalid($"{name} must be a number from 0 to 1000.", $"{at}.{name}");
            }
        }
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9-]{0,30}[A-Za-z0-9]\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex LegalName();
}
