using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>Runs template deployments and keeps the record of the last ones of each group. The template itself is not kept.</summary>
internal sealed partial class Deployments(PutWorkspace workspaces, IDatabase database, IResources resources, IAuthorizer authorizer, TimeProvider time)
{
    /// <summary>Records kept for each group; older ones go, as on Azure.</summary>
    public const int Kept = 800;

    /// <summary>The deployments of a group, newest first.</summary>
    public static ResourceQuery In(ArmId group) => new() { Parent = new ArmId(group.Value + "/providers/Microsoft.Resources"), Type = "deployments", NewestFirst = true, Top = 100 };

    /// <summary>Makes the workspace and the record; a deployment whose PUT fails leaves neither.</summary>
    public async Task<Outcome<(Resource Deployment, bool Created)>> RunAsync(Caller caller, ArmId id, JsonObject body, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        if (!(await ReadAsync(caller, id, body, ct)).TryGet(out var asked, out var problem)
            || (problem = (await workspaces.PutAsync(caller, asked.Workspace, asked.Body, default, ct)).Problem) is not null)
        {
            return problem;
        }

        var document = new JsonObject { ["properties"] = Properties(body, asked.Workspace, time.GetElapsedTime(began)) };
        if (body["tags"] is JsonObject tags)
        {
            document["tags"] = tags.DeepClone();
        }

        var group = asked.Workspace.Group;
        var old = await resources.ListAsync(In(group) with { Continuation = (Kept - 1).ToString(System.Globalization.CultureInfo.InvariantCulture) }, ct);
        return await database.WriteAsync(
            scope =>
            {
                foreach (var deployment in old.Items.Where(item => item.Id != id))
                {
                    resources.Delete(scope, deployment.Id, caller);
                }

                var before = resources.Find(scope, id);
                return (resources.Put(scope, before?.Id ?? id, document, caller), before is null);
            },
            ct);
    }

    /// <summary>The answer to a validation: the deployment as it would be, or what stands against it.</summary>
    public async Task<Outcome<JsonObject>> ValidateAsync(Caller caller, ArmId id, JsonObject body, CancellationToken ct)
    {
        if (!(await ReadAsync(caller, id, body, ct)).TryGet(out var asked, out var problem)
            || (problem = await workspaces.CheckAsync(caller, asked.Workspace, asked.Body, WorkspaceDocument.ForStore(asked.Body), ct)) is not null)
        {
            return problem;
        }

        return new JsonObject
        {
            ["id"] = id.Value,
            ["name"] = id.Name,
            ["type"] = id.Type,
            ["properties"] = Properties(body, asked.Workspace, TimeSpan.Zero),
        };
    }

    /// <summary>The one operation of a deployment.</summary>
    public static JsonObject Operation(Resource deployment)
    {
        var properties = deployment.Properties;
        var target = new ArmId(properties["outputResources"]![0]!["id"]!.GetValue<string>());
        var operation = properties.Text("correlationId")!.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant()[..16];
        return new JsonObject
        {
            ["id"] = $"{deployment.Id}/operations/{operation}",
            ["operationId"] = operation,
            ["properties"] = new JsonObject
            {
                ["provisioningOperation"] = "Create",
                ["provisioningState"] = "Succeeded",
                ["timestamp"] = ResourceDocument.Wire(deployment.LastModifiedAt),
                ["duration"] = properties.Text("duration"),
                ["trackingId"] = properties.Text("correlationId"),
                ["serviceRequestId"] = properties.Text("correlationId"),
                ["statusCode"] = "OK",
                ["targetResource"] = new JsonObject { ["id"] = target.Value, ["resourceType"] = target.Type, ["resourceName"] = target.Name },
            },
        };
    }

    private async Task<Outcome<(WorkspaceRef Workspace, JsonObject Body)>> ReadAsync(Caller caller, ArmId id, JsonObject body, CancellationToken ct)
    {
        var parts = id.Value.Split('/');
        if (!WorkspaceTemplate.Read(parts[2], parts[4], body).TryGet(out var asked, out var problem))
        {
            return problem;
        }

        if (!LegalName().IsMatch(id.Name))
        {
            // The SDK makes the deployment's name of the workspace's, so that one speaks first.
            var name = ArmErrors.Invalid("A deployment's name has 1 to 64 letters, digits, '_', '-', '.', '(' or ')'.", "deploymentName", "InvalidDeploymentName");
            return Problem.Combine([.. WorkspaceDocument.Problems(asked.Body, asked.Name), name]);
        }

        // Who may deploy may not thereby make workspaces.
        const string Write = Routes.Provider + "/workspaces/write";
        var workspace = new WorkspaceRef(parts[2], parts[4], asked.Name);
        return await authorizer.AllowsAsync(caller, Write, workspace.Id, isDataAction: false, ct)
            ? (workspace, asked.Body)
            : ArmErrors.Forbidden(caller, Write, workspace.Id);
    }

    private JsonObject Properties(JsonObject body, WorkspaceRef workspace, TimeSpan duration) => new()
    {
        ["mode"] = "Incremental",
        ["provisioningState"] = "Succeeded",
        ["timestamp"] = ResourceDocument.Wire(time.GetUtcNow()),
        ["duration"] = XmlConvert.ToString(duration),
        ["correlationId"] = Guid.NewGuid().ToString(),
        ["parameters"] = Shown(body.Object("properties")!),
        ["outputs"] = new JsonObject(),
        ["outputResources"] = new JsonArray(new JsonObject { ["id"] = workspace.Id.Value }),
        ["dependencies"] = new JsonArray(),
        ["providers"] = new JsonArray(new JsonObject
        {
            ["namespace"] = Routes.Provider,
            ["resourceTypes"] = new JsonArray(new JsonObject { ["resourceType"] = "workspaces", ["locations"] = new JsonArray((JsonNode?)null) }),
        }),
    };

    /// <summary>The parameters with their types; without their values those that are secure, or that the template does not declare. Names are without case.</summary>
    private static JsonObject Shown(JsonObject properties)
    {
        var shown = new JsonObject();
        foreach (var (name, parameter) in properties.Object("parameters") ?? [])
        {
            var declared = properties.Object("template")?.Object("parameters")?.FirstOrDefault(p => p.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value as JsonObject;
            var type = declared?.Text("type") ?? "String";
            shown[name] = declared is null || type.StartsWith("secure", StringComparison.OrdinalIgnoreCase)
                ? new JsonObject { ["type"] = type }
                : new JsonObject { ["type"] = type, ["value"] = (parameter as JsonObject)?["value"]?.DeepClone() };
        }

        return shown;
    }

    [GeneratedRegex(@"^[-\w.()]{1,64}\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex LegalName();
}
