using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>What of a workspace is stored, and how it is answered.</summary>
internal static partial class WorkspaceDocument
{
    private static readonly string[] Computed =
    [
        "discoveryUrl", "mlFlowTrackingUri", "workspaceId", "storageAccount", "provisioningState", "notebookInfo", "serviceProvisionedResourceGroup",
        "privateLinkCount", "tenantId", "storageHnsEnabled", "workspaceHubConfig", "creationTime", "associatedWorkspaces",
    ];

    /// <summary>Everything wrong with a PUT or PATCH body.</summary>
    public static IReadOnlyList<Problem> Problems(JsonObject body, string name)
    {
        var problems = new List<Problem>();
        if (!LegalName().IsMatch(name))
        {
            problems.Add(ArmErrors.Invalid("A workspace name has 3 to 33 letters, digits, '-' or '_' and begins with a letter or digit.", "workspaceName"));
        }

        foreach (var (member, kind) in (ReadOnlySpan<(string, JsonValueKind)>)[("location", JsonValueKind.String), ("tags", JsonValueKind.Object), ("identity", JsonValueKind.Object), ("sku", JsonValueKind.Object), ("kind", JsonValueKind.String), ("properties", JsonValueKind.Object)])
        {
            Expect(problems, body[member], member, kind);
        }

        if (body["tags"] is JsonObject tags)
        {
            foreach (var (tag, value) in tags)
            {
                Expect(problems, value, $"tags.{tag}", JsonValueKind.String);
            }
        }

        foreach (var member in (ReadOnlySpan<string>)["friendlyName", "description", "imageBuildCompute", "publicNetworkAccess", "keyVault", "applicationInsights", "containerRegistry", "hubResourceId"])
        {
            Expect(problems, body.Object("properties")?[member], $"properties.{member}", JsonValueKind.String);
        }

        return problems;
    }

    /// <summary>The body without what the server computes.</summary>
    public static JsonObject ForStore(JsonObject body)
    {
        var document = body.Copy();
        foreach (var member in (ReadOnlySpan<string>)["id", "name", "type", "systemData", "etag"])
        {
            document.Remove(member);
        }

        foreach (var member in Computed)
        {
            document.Object("properties")?.Remove(member);
        }

        if (document.Text("kind") is { } kind)
        {
            document["kind"] = WorkspaceKind.Canonical(kind) ?? kind;
        }

        return document;
    }

    /// <summary>The stored document with a PATCH body over it: <c>properties</c> member by member, the others whole.</summary>
    public static JsonObject Patched(JsonObject stored, JsonObject patch)
    {
        var result = stored.Copy();
        foreach (var (member, value) in ForStore(patch))
        {
            if (member == "properties" && value is JsonObject changes && result.Object("properties") is { } properties)
            {
                foreach (var (name, change) in changes.Where(change => change.Key != "hubResourceId"))
                {
                    properties[name] = change?.DeepClone();
                }
            }
            else if (member is not ("location" or "kind"))
            {
                result[member] = value?.DeepClone();
            }
        }

        return result;
    }

    /// <summary>The answer, with URLs that fit the request.</summary>
    public static JsonObject Render(HttpContext context, Resource resource, Workspace workspace)
    {
        var answer = ResourceDocument.Answer(resource);
        var baseUrl = context.PublicUrls().Base(context);
        var properties = answer.Object("properties")!;
        answer["location"] = workspace.Location;
        answer["kind"] ??= WorkspaceKind.Default;
        answer["tags"] ??= new JsonObject();
        answer["sku"] ??= new JsonObject { ["name"] = "Basic", ["tier"] = "Basic" };
        answer["identity"] ??= new JsonObject { ["type"] = "SystemAssigned" };
        properties["friendlyName"] ??= workspace.Ref.Name;
        properties["description"] ??= "";
        properties["hbiWorkspace"] ??= false;
        properties["publicNetworkAccess"] ??= "Enabled";
        properties["workspaceId"] = workspace.WorkspaceId;
        properties["storageAccount"] = WorkspaceStore.AccountId(workspace).Value;
        properties["discoveryUrl"] = baseUrl + "/discovery";
        properties["mlFlowTrackingUri"] = $"azureml://{new Uri(baseUrl).Authority}/mlflow/v1.0{workspace.Ref.Id}";
        properties["provisioningState"] = "Succeeded";
        return answer;
    }

    [GeneratedRegex(@"^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex LegalName();

    private static void Expect(List<Problem> problems, JsonNode? node, string path, JsonValueKind kind)
    {
        if (node is not null && node.GetValueKind() != kind)
        {
            problems.Add(ArmErrors.Invalid($"'{path}' must be of JSON kind {kind}; it is {node.GetValueKind()}.", path));
        }
    }
}
