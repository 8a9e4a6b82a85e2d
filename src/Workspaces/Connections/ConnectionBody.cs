using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>The rules of a connection's body.</summary>
internal static class ConnectionBody
{
    /// <summary>What clients of <c>2022-01-01-preview</c> know; they fail on a list that holds any other.</summary>
    public static IReadOnlyList<string> FirstAuthTypes { get; } = ["PAT", "ManagedIdentity", "UsernamePassword", "SAS", "ServicePrincipal"];

    private static readonly string[] AuthTypes =
    [
        .. FirstAuthTypes, "None", "AAD", "AccessKey", "AccountKey", "ApiKey", "CustomKeys", "OAuth2", "AccountManagedIdentity", "AgentUserImpersonation",
        "AgenticIdentityToken", "AgenticUser", "DelegatedSAS", "ProjectManagedIdentity", "UserEntraToken",
    ];

    private static readonly (string Member, JsonValueKind Kind)[] Members =
    [
        ("metadata", JsonValueKind.Object), ("credentials", JsonValueKind.Object), ("sharedUserList", JsonValueKind.Array), ("expiryTime", JsonValueKind.String),
    ];

    /// <summary>Everything wrong with the body.</summary>
    public static IReadOnlyList<Problem> Problems(JsonObject body)
    {
        if (body["properties"] is not JsonObject properties)
        {
            return [ArmErrors.Invalid("'properties' is required and must be an object.", "properties")];
        }

        var problems = new List<Problem>();
        foreach (var member in (ReadOnlySpan<string>)["authType", "category", "target"])
        {
            if (properties[member]?.GetValueKind() != JsonValueKind.String)
            {
                problems.Add(ArmErrors.Invalid($"'properties.{member}' is required and must be a string.", $"properties.{member}"));
            }
        }

        if (properties.Text("authType") is { } authType && Canonical(authType) is null)
        {
            problems.Add(ArmErrors.Invalid($"'properties.authType' must be one of {string.Join(", ", AuthTypes)}; it is '{authType}'.", "properties.authType"));
        }

        foreach (var (member, kind) in Members)
        {
            if (properties[member] is { } value && value.GetValueKind() != kind)
            {
                problems.Add(ArmErrors.Invalid($"'properties.{member}' must be of JSON kind {kind}; it is {value.GetValueKind()}.", $"properties.{member}"));
            }
        }

        return problems;
    }

    /// <summary>The type in the wire's casing, or null.</summary>
    public static string? Canonical(string authType) => Array.Find(AuthTypes, known => known.Equals(authType, StringComparison.OrdinalIgnoreCase));
}
