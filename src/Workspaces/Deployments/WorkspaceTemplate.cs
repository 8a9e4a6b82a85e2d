using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>
/// What a template deployment asks for, read out of its parameters. Templates are not evaluated: the ones that azure-ai-ml sends to create
/// a workspace are known by their parameters, every other template is refused and named by its resource types.
/// </summary>
internal sealed class WorkspaceTemplate
{
    private const string WorkspaceType = Routes.Provider + "/workspaces";

    /// <summary>What the SDK's templates hold beside the workspace; each is made by this server itself or has no meaning on one machine.</summary>
    private static readonly string[] Beside =
    [
        "Microsoft.Network/virtualNetworks", "Microsoft.Network/virtualNetworks/subnets", "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults",
        "Microsoft.ContainerRegistry/registries", "Microsoft.Insights/components", "Microsoft.OperationalInsights/workspaces", "Microsoft.Resources/deployments",
        "Microsoft.Authorization/roleAssignments", "Microsoft.ManagedIdentity/userAssignedIdentities", "Microsoft.Storage/storageAccounts/blobServices/containers",
        "Microsoft.Storage/storageAccounts/blobServices",
    ];

    private readonly JsonObject given;
    private readonly JsonObject declared;
    private readonly List<Problem> problems = [];

    private WorkspaceTemplate(JsonObject given, JsonObject declared) => (this.given, this.declared) = (given, declared);

    /// <summary>The name and body of the workspace that the deployment makes, or everything that stands against it.</summary>
    public static Outcome<(string Name, JsonObject Body)> Read(string subscriptionId, string groupName, JsonObject deployment)
    {
        if (deployment.Object("properties") is not { } properties)
        {
            return ArmErrors.Invalid("'properties' is required and must be an object.", "properties", "InvalidRequestContent");
        }

        if (Refusal(properties) is { } refusal)
        {
            return refusal;
        }

        var template = new WorkspaceTemplate(properties.Object("parameters") ?? [], properties.Object("template")!.Object("parameters") ?? []);
        var name = template.Text("workspaceName");
        if (string.IsNullOrEmpty(name))
        {
            return ArmErrors.Unsupported("workspace templates other than those of azure-ai-ml, which have a parameter 'workspaceName'", "properties.parameters.workspaceName");
        }

        var body = template.Body($"/subscriptions/{subscriptionId}/resourceGroups/{{0}}/providers/", groupName);
        return template.problems.Count > 0 ? Problem.Combine(template.problems) : (name, body);
    }

    private static Problem? Refusal(JsonObject properties)
    {
        foreach (var member in (ReadOnlySpan<string>)["templateLink", "parametersLink"])
        {
            if (properties[member] is not null)
            {
                return ArmErrors.Unsupported($"'{member}' in deployments; send the document itself", "properties." + member);
            }
        }

        if (properties.Text("mode") is not { } mode || !mode.Equals("Incremental", StringComparison.OrdinalIgnoreCase))
        {
            return properties.Text("mode") is { } other && other.Equals("Complete", StringComparison.OrdinalIgnoreCase)
                ? ArmErrors.Unsupported("deployments of mode 'Complete', which delete what is not in the template", "properties.mode")
                : ArmErrors.Invalid("'properties.mode' is 'Incremental'.", "properties.mode", "InvalidDeploymentMode");
        }

        if (properties.Object("template") is not { } template)
        {
            return ArmErrors.Invalid("'properties.template' is required and must be an object.", "properties.template", "InvalidTemplate");
        }

        var types = Types(template);
        var others = types.Where(type => !type.Equals(WorkspaceType, StringComparison.OrdinalIgnoreCase) && !Beside.Contains(type, StringComparer.OrdinalIgnoreCase)).ToList();
        return types.Contains(WorkspaceType, StringComparer.OrdinalIgnoreCase) && others.Count == 0
            ? null
            : ArmErrors.Unsupported($"template deployments of {(types.Count == 0 ? "nothing" : string.Join(", ", others.Count > 0 ? others : types))}; a template is applied when it makes a workspace as azure-ai-ml does", "properties.template.resources");
    }

    private static List<string> Types(JsonObject template)
    {
        IEnumerable<JsonNode?> resources = template["resources"] switch
        {
            JsonArray list => list,
            JsonObject named => named.Select(pair => pair.Value),
            _ => [],
        };
        return [.. resources.Select(resource => (resource as JsonObject)?.Text("type") ?? "an unnamed type").Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    private JsonObject Body(string idFormat, string groupName)
    {
        if (Text("privateEndpointType") is { } endpoint && !endpoint.Equals("none", StringComparison.OrdinalIgnoreCase))
        {
            problems.Add(ArmErrors.Unsupported("private endpoints", "properties.parameters.privateEndpointType.value"));
        }

        var properties = new JsonObject();
        foreach (var (member, parameter) in (ReadOnlySpan<(string, string)>)
            [
                ("friendlyName", "friendlyName"), ("description", "description"), ("imageBuildCompute", "imageBuildCompute"), ("publicNetworkAccess", "publicNetworkAccess"),
                ("primaryUserAssignedIdentity", "primaryUserAssignedIdentity"), ("hubResourceId", "workspace_hub"), ("systemDatastoresAuthMode", "systemDatastoresAuthMode"),
            ])
        {
            Put(properties, member, Text(parameter));
        }

        foreach (var (member, parameter, type) in (ReadOnlySpan<(string, string, string)>)
            [
                ("storageAccount", "storageAccount", "Microsoft.Storage/storageAccounts"), ("keyVault", "keyVault", "Microsoft.KeyVault/vaults"),
                ("applicationInsights", "applicationInsights", "Microsoft.Insights/components"), ("containerRegistry", "containerRegistry", "Microsoft.ContainerRegistry/registries"),
            ])
        {
            // What the template would make new does not exist here; what the user named is kept.
            if ("existing".Equals(Text(parameter + "Option"), StringComparison.OrdinalIgnoreCase) && Text(parameter + "Name") is { Length: > 0 } name)
            {
                var group = Text(parameter + "ResourceGroupName") is { Length: > 0 } named ? named : groupName;
                properties[member] = idFormat.Replace("{0}", group, StringComparison.Ordinal) + $"{type}/{name}";
            }
        }

        properties["hbiWorkspace"] = "true".Equals(Text("confidential_data"), StringComparison.OrdinalIgnoreCase);
        if (Text("spark_runtime_version") is { Length: > 0 } runtime)
        {
            var settings = new JsonObject { ["computeRuntime"] = new JsonObject { ["sparkRuntimeVersion"] = runtime } };
            Put(settings, "offlineStoreConnectionName", Text("offline_store_connection_name"));
            Put(settings, "onlineStoreConnectionName", Text("online_store_connection_name"));
            properties["featureStoreSettings"] = settings;
        }

        PutObject(properties, "managedNetwork", "managedNetwork");
        PutObject(properties, "serverlessComputeSettings", "serverless_compute_settings");
        var body = new JsonObject { ["properties"] = properties };
        Put(body, "location", Text("location"));
        Put(body, "kind", Text("kind"));
        PutObject(body, "tags", "tagValues");
        PutObject(body, "identity", "identity");
        return body;
    }

    private static void Put(JsonObject body, string member, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            body[member] = value;
        }
    }

    private void PutObject(JsonObject body, string member, string parameter)
    {
        if (Value(parameter) is not { } value)
        {
            return;
        }

        if (value is not JsonObject document)
        {
            problems.Add(ArmErrors.Invalid($"The parameter '{parameter}' is an object.", $"properties.parameters.{parameter}.value", "InvalidTemplate"));
        }
        else if (document.Count > 0)
        {
            body[member] = document.DeepClone();
        }
    }

    private string? Text(string parameter)
    {
        if (Value(parameter) is not { } value)
        {
            return null;
        }

        if (value.GetValueKind() is JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)
        {
            return value.ToString();
        }

        problems.Add(ArmErrors.Invalid($"The parameter '{parameter}' is a string.", $"properties.parameters.{parameter}.value", "InvalidTemplate"));
        return null;
    }

    // A default that is an expression ("[resourceGroup().location]") has no value here.
    private JsonNode? Value(string parameter) => given.Object(parameter) is { } sent && sent["value"] is { } value
        ? value
        : declared.Object(parameter)?["defaultValue"] is { } standard && !(standard.Text()?.StartsWith('[') ?? false) ? standard : null;
}
