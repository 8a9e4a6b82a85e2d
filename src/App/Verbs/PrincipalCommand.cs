using System.CommandLine;
using System.Text.Json.Nodes;
using Zaffre.Cli;
using Zaffre.Kernel;

namespace Zaffre.App;

/// <summary><c>zaffre principal create</c>: a service principal for somebody or something else, with a role in the workspace.</summary>
internal static class PrincipalCommand
{
    private static readonly Option<string> Name = new("--name", "-n") { Description = "Its display name.", Required = true };
    private static readonly Option<string> Role = new("--role") { Description = "A built-in role, such as Reader or 'AzureML Data Scientist'.", DefaultValueFactory = _ => "Reader" };
    private static readonly Option<string?> Scope = new("--scope") { Description = "The resource id under which the role holds (default: the subscription)." };

    public static Command Create()
    {
        var create = new Command("create", "Create a service principal with a role; prints its secret once.") { CliCommands.Data, Name, Role, Scope };
        create.Does(async (parsed, data, ct) =>
        {
            var owner = Owner.Read(data);
            using var client = new LocalClient(data, Verb.Running(data));
            var scope = parsed.GetValue(Scope) ?? "/subscriptions/" + owner.SubscriptionId;
            var roles = await client.SendAsync(owner, HttpMethod.Get, $"{scope}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter={Uri.EscapeDataString($"roleName eq '{parsed.GetValue(Role)}'")}", null, ct);
            var role = (roles["value"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault()?.Text("id")
                ?? throw new VerbException($"There is no role named '{parsed.GetValue(Role)}'.");
            var principal = await client.SendAsync(owner, HttpMethod.Post, "/zaffre/v1/principals", new JsonObject { ["name"] = parsed.GetValue(Name) }, ct);
            var assignment = new JsonObject { ["properties"] = new JsonObject { ["roleDefinitionId"] = role, ["principalId"] = principal.Text("objectId"), ["principalType"] = "ServicePrincipal" } };
            await client.SendAsync(owner, HttpMethod.Put, $"{scope}/providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}?api-version=2022-04-01", assignment, ct);
            Console.WriteLine(new JsonObject
            {
                ["appId"] = principal.Text("clientId"),
                ["displayName"] = principal.Text("name"),
                ["password"] = principal.Text("clientSecret"),
                ["tenant"] = owner.TenantId,
            }.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true }));
            return 0;
        });
        return new Command("principal", "Who else may use this server.") { create };
    }
}
