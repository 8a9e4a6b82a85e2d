using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace Zaffre.Web;

/// <summary>
/// A resource id: <c>/subscriptions/{s}/resourceGroups/{g}/providers/{namespace}/{type}/{name}...</c> in canonical casing of its
/// fixed segments. Equality ignores case, as the wire does.
/// </summary>
public readonly record struct ArmId(string Value)
{
    /// <summary>The form used as key in stores: lower case.</summary>
    public string Key => Value.ToLowerInvariant();

    /// <summary>The last segment.</summary>
    public string Name => Value[(Value.LastIndexOf('/') + 1)..];

    /// <summary>A child resource: <c>id.Child("versions", "3")</c>.</summary>
    public ArmId Child(string type, string name) => new($"{Value}/{type}/{name}");

    /// <summary>The id without its last type and name pair.</summary>
    public ArmId Parent => new(Value[..Value.LastIndexOf('/', Value.LastIndexOf('/') - 1)]);

    /// <summary>Namespace and types, such as <c>Microsoft.MachineLearningServices/workspaces/jobs</c>.</summary>
    public string Type
    {
        get
        {
            var at = Value.LastIndexOf("/providers/", StringComparison.OrdinalIgnoreCase);
            if (at < 0)
            {
                return Value.Count(c => c == '/') <= 2 ? "Microsoft.Resources/subscriptions" : "Microsoft.Resources/resourceGroups";
            }

            var parts = Value[(at + "/providers/".Length)..].Split('/');
            return parts[0] + "/" + string.Join('/', parts.Skip(1).Where((_, i) => i % 2 == 0));
        }
    }

    public bool Equals(ArmId other) => string.Equals(Value, other.Value, StringComparison.OrdinalIgnoreCase);

    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(Value ?? "");

    public override string ToString() => Value;
}

/// <summary>The subscription, group and workspace that a request's path names. Bound from route values by minimal API.</summary>
public sealed record WorkspaceRef(string SubscriptionId, string ResourceGroup, string Name)
{
    /// <summary>The workspace's resource id.</summary>
    public ArmId Id => new($"/subscriptions/{SubscriptionId}/resourceGroups/{ResourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/{Name}");

    /// <summary>The resource group's id.</summary>
    public ArmId Group => new($"/subscriptions/{SubscriptionId}/resourceGroups/{ResourceGroup}");

    /// <summary>The id of something directly in the workspace: <c>ws.Child("jobs", "a")</c>.</summary>
    public ArmId Child(string type, string name) => Id.Child(type, name);

    /// <summary>Minimal API's binding from route values.</summary>
    public static ValueTask<WorkspaceRef?> BindAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var values = context.Request.RouteValues;
        return ValueTask.FromResult(values["subscriptionId"] is string subscription && values["resourceGroupName"] is string group && values["workspaceName"] is string name
            ? new WorkspaceRef(subscription, group, name)
            : null);
    }

    /// <summary>Reads the workspace out of any resource id at or below it (with or without a leading <c>azureml:</c>).</summary>
    public static bool TryParse(string? id, [MaybeNullWhen(false)] out WorkspaceRef workspace, out string rest)
    {
        (workspace, rest) = (null, "");
        if (id is null)
        {
            return false;
        }

        var parts = (id.StartsWith("azureml:/subscriptions", StringComparison.OrdinalIgnoreCase) ? id["azureml:".Length..] : id).Split('/');
        if (parts.Length < 9 || parts[0].Length > 0
            || !parts[1].Equals("subscriptions", StringComparison.OrdinalIgnoreCase)
            || !parts[3].Equals("resourceGroups", StringComparison.OrdinalIgnoreCase)
            || !parts[5].Equals("providers", StringComparison.OrdinalIgnoreCase)
            || !parts[6].Equals("Microsoft.MachineLearningServices", StringComparison.OrdinalIgnoreCase)
            || !parts[7].Equals("workspaces", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        workspace = new WorkspaceRef(parts[2], parts[4], parts[8]);
        rest = string.Join('/', parts.Skip(9));
        return true;
    }
}
