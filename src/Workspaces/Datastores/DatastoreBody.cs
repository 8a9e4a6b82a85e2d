using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>The rules of a datastore's body: types, their members, and the shape of credentials.</summary>
internal static class DatastoreBody
{
    private static readonly Dictionary<string, string[]> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["AzureBlob"] = ["accountName", "containerName"],
        ["AzureFile"] = ["accountName", "fileShareName"],
        ["AzureDataLakeGen1"] = ["storeName"],
        ["AzureDataLakeGen2"] = ["accountName", "filesystem"],
        ["OneLake"] = ["oneLakeWorkspaceName"],
    };

    private static readonly Dictionary<string, string?> SecretMembers = new(StringComparer.OrdinalIgnoreCase)
    {
        ["AccountKey"] = "key",
        ["Sas"] = "sasToken",
        ["ServicePrincipal"] = "clientSecret",
        ["Certificate"] = "certificate",
        ["None"] = null,
    };

    /// <summary>Everything wrong with the body.</summary>
    public static List<Problem> Problems(JsonObject body)
    {
        var problems = new List<Problem>();
        if (body["properties"] is not JsonObject properties)
        {
            return [ArmErrors.Invalid("'properties' is required and must be an object.", "properties")];
        }

        Type(properties, problems);
        Credentials(properties, problems);
        foreach (var member in (ReadOnlySpan<string>)["tags", "properties"])
        {
            if (properties[member] is { } map && (map is not JsonObject texts || texts.Any(p => p.Value is not JsonValue)))
            {
                problems.Add(ArmErrors.Invalid($"'properties.{member}' must be a map of strings.", $"properties.{member}"));
            }
        }

        if (properties["description"] is { } description && description.GetValueKind() != JsonValueKind.String)
        {
            problems.Add(ArmErrors.Invalid("'properties.description' must be a string.", "properties.description"));
        }

        return problems;
    }

    /// <summary>The secret member of the credentials (<c>key</c>, <c>sasToken</c>, ...), null for types without one.</summary>
    public static string? SecretMember(string credentialsType) => SecretMembers.GetValueOrDefault(credentialsType);

    private static void Type(JsonObject properties, List<Problem> problems)
    {
        if (properties["datastoreType"] is not JsonValue value || value.GetValueKind() != JsonValueKind.String)
        {
            problems.Add(ArmErrors.Invalid("'properties.datastoreType' is required and must be a string.", "properties.datastoreType"));
            return;
        }

        if (!Types.TryGetValue(value.Text()!, out var members))
        {
            problems.Add(ArmErrors.Invalid($"'properties.datastoreType' must be one of {string.Join(", ", Types.Keys)}; it is '{value.Text()}'.", "properties.datastoreType"));
            return;
        }

        foreach (var member in members)
        {
            if (properties[member]?.GetValueKind() != JsonValueKind.String || properties.Text(member)!.Length == 0)
            {
                problems.Add(ArmErrors.Invalid($"'properties.{member}' is required and must be a string.", $"properties.{member}"));
            }
        }
    }

    private static void Credentials(JsonObject properties, List<Problem> problems)
    {
        if (properties["credentials"] is not JsonObject credentials)
        {
            problems.Add(ArmErrors.Invalid("'properties.credentials' is required and must be an object.", "properties.credentials"));
            return;
        }

        var type = credentials.Text("credentialsType");
        if (type is null || !SecretMembers.TryGetValue(type, out var member))
        {
            problems.Add(ArmErrors.Invalid($"'properties.credentials.credentialsType' must be one of {string.Join(", ", SecretMembers.Keys)}.", "properties.credentials.credentialsType"));
            return;
        }

        if (credentials["secrets"] is null || member is null)
        {
            return;
        }

        if (credentials["secrets"] is not JsonObject secrets)
        {
            problems.Add(ArmErrors.Invalid("'properties.credentials.secrets' must be an object.", "properties.credentials.secrets"));
            return;
        }

        if (secrets.Text("secretsType") is { } secretsType && !secretsType.Equals(type, StringComparison.OrdinalIgnoreCase))
        {
            problems.Add(ArmErrors.Invalid($"'properties.credentials.secrets.secretsType' is '{secretsType}', but credentialsType is '{type}'.", "properties.credentials.secrets.secretsType"));
        }

        if (secrets[member] is { } secret && secret.GetValueKind() != JsonValueKind.String)
        {
            problems.Add(ArmErrors.Invalid($"'properties.credentials.secrets.{member}' must be a string.", $"properties.credentials.secrets.{member}"));
        }
    }
}
