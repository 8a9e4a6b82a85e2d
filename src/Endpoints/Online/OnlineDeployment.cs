using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Endpoints.Data;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Endpoints.Online;

/// <summary><c>onlineEndpoints/{endpoint}/deployments/{name}</c>: reading. Writing starts instances and has routes of its own.</summary>
internal sealed class OnlineDeployment(DeploymentStore deployments) : ArmResource
{
    public override string Path => OnlineEndpoint.Type + "/{endpoint}/deployments/{name}";

    public override string Action => "workspaces/onlineEndpoints/deployments";

    public override bool Writable => false;

    public override IReadOnlyList<(string Path, JsonValueKind Kind)> Required => [("location", JsonValueKind.String), ("properties", JsonValueKind.Object)];

    public override string? NameProblem(string part, string value) => OnlineName.Problem(part == "name" ? "deployment" : "endpoint", value);

    public override IEnumerable<string> KeptOnly(JsonObject document) => StoredOnly.Present(
        document, "properties.instanceType", "properties.appInsightsEnabled", "properties.egressPublicNetworkAccess", "properties.livenessProbe");

    public override async ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct) =>
        Render(answer, await deployments.FindAsync(resource.Id, ct));

    /// <summary>Adds the members that clients need and did not send.</summary>
    public static JsonObject Render(JsonObject answer, DeploymentRow? row)
    {
        var properties = (JsonObject)answer["properties"]!;
        properties["provisioningState"] = row?.State ?? DeploymentState.Deleting;
        properties["scaleSettings"] ??= new JsonObject { ["scaleType"] = "Default" };
        properties["environmentVariables"] ??= new JsonObject();
        var own = properties["properties"] as JsonObject ?? [];
        own = own.Parent is null ? own : (JsonObject)own.DeepClone();
        properties["properties"] = own;

        // Clients send back what they read; what was said of an earlier state is not said again.
        own.Remove("zaffre.error");
        own.Remove("zaffre.runtime");
        if (row?.Runtime is { } runtime)
        {
            own["zaffre.runtime"] = runtime;
        }

        if (row?.Error is { } error && JsonNode.Parse(error) is JsonObject told)
        {
            own["zaffre.error"] = $"{told.Text("code")}: {told.Text("message")}";
        }

        answer["sku"] ??= new JsonObject { ["name"] = "Default", ["capacity"] = 1 };
        answer["kind"] ??= "Managed";
        return answer;
    }
}
