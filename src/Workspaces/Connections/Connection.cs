using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>
/// Connections of a workspace to services elsewhere. Their credentials, whatever the type, are sealed apart from the document and are
/// answered by <c>listsecrets</c> only. A PUT is answered with 200 also when it creates: clients accept nothing else.
/// </summary>
internal sealed partial class Connection(ResourceSecrets secrets) : ArmResource
{
    private static readonly object CredentialsKey = new();

    public override string Path => "connections/{connectionName}";

    public override string Action => "workspaces/connections";

    public override int CreatedStatus => StatusCodes.Status200OK;

    public override string? NameProblem(string part, string value) => LegalName().IsMatch(value)
        ? null
        : "A connection's name has 3 to 33 letters, digits, '-' or '_' and begins with a letter or digit.";

    public override Task<Outcome<JsonObject>> PrepareAsync(ResourceCall call, JsonObject body, Resource? existing, CancellationToken ct)
    {
        if (ConnectionBody.Problems(body) is { Count: > 0 } problems)
        {
            return Task.FromResult<Outcome<JsonObject>>(Problem.Combine(problems));
        }

        var properties = (JsonObject)body["properties"]!.DeepClone();
        properties["authType"] = ConnectionBody.Canonical(properties.Text("authType")!);
        call.Http.Items[CredentialsKey] = properties["credentials"]?.ToJsonString(ZaffreJson.Options);
        properties.Remove("credentials");
        return Task.FromResult<Outcome<JsonObject>>(new JsonObject { ["properties"] = properties });
    }

    /// <summary>A body without credentials keeps those that are there, unless it changes what kind they are.</summary>
    public override void OnPut(WriteScope scope, ResourceCall call, Resource? before, Resource after)
    {
        if (call.Http.Items[CredentialsKey] is string credentials)
        {
            secrets.Put(scope, after.Id, credentials);
        }
        else if (before is not null && before.Properties.Text("authType") != after.Properties.Text("authType"))
        {
            ResourceSecrets.Remove(scope, after.Id);
        }
    }

    public override ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct)
    {
        var properties = answer.Object("properties")!;
        properties["metadata"] ??= new JsonObject();
        properties["isSharedToAll"] ??= false;
        return ValueTask.CompletedTask;
    }

    public override bool Matches(IQueryCollection query, Resource resource) =>
        Is(query["category"], resource.Properties.Text("category"))
        && Is(query["target"], resource.Properties.Text("target"))
        && (query["api-version"] != "2022-01-01-preview" || ConnectionBody.FirstAuthTypes.Contains(resource.Properties.Text("authType")));

    private static bool Is(Microsoft.Extensions.Primitives.StringValues wanted, string? value) =>
        wanted is not [{ Length: > 0 } text] || text.Equals(value, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex LegalName();
}
