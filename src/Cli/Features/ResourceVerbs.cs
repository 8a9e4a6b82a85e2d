using System.CommandLine;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre workspace list|show</c>, <c>zaffre datastore list|show</c>, and what other groups share with them.</summary>
internal static class ResourceVerbs
{
    public static Command Datastores()
    {
        var group = new Command("datastore", "Datastores: where data lies.");
        group.Subcommands.Add(Show("datastore", "datastores", Projection.Of));
        group.Subcommands.Add(List("datastores", "datastores", Projection.Of));
        return group;
    }

    public static Command Workspaces()
    {
        var group = new Command("workspace", "Workspaces.");
        var name = new Option<string?>("--name", "-n") { Description = "Name of the workspace (default: that of --workspace-name)." };
        group.Subcommands.Add(new Verb(
            "show",
            "Show details of a workspace.",
            async (call, ct) => Projection.Of(await call.Api.GetAsync(Sibling(call.Api, call.Get(name)) + "?" + ApiClient.Version, ct)),
            name));
        var most = new Option<int>("--max-results", "-r") { Description = "Most workspaces to list.", DefaultValueFactory = _ => int.MaxValue };
        group.Subcommands.Add(new Verb(
            "list",
            "List the workspaces of a resource group.",
            async (call, ct) => await call.CollectAsync($"{Collection(call.Api)}?{ApiClient.Version}", call.Get(most), ct),
            most));
        return group;
    }

    /// <summary>Shows one resource of a workspace.</summary>
    public static Verb Show(string kind, string collection, Func<JsonObject, JsonObject> shown)
    {
        var name = new Option<string>("--name", "-n") { Description = $"Name of the {kind}.", Required = true };
        return new Verb("show", $"Show details of a {kind}.", async (call, ct) => shown(await call.Api.GetAsync(call.Api.Path($"{collection}/{call.Get(name)}"), ct)), name);
    }

    /// <summary>Lists the resources of a kind in a workspace.</summary>
    public static Verb List(string what, string collection, Func<JsonObject, JsonObject> shown)
    {
        var most = new Option<int>("--max-results", "-r") { Description = $"Most {what} to list.", DefaultValueFactory = _ => int.MaxValue };
        return new Verb("list", $"List the {what} of a workspace.", async (call, ct) => (JsonNode?)await call.CollectAsync(call.Api.Path(collection), call.Get(most), ct, shown), most);
    }

    private static string Collection(ApiClient api) => api.WorkspacePath[..api.WorkspacePath.LastIndexOf('/')];

    private static string Sibling(ApiClient api, string? name) => name is null ? api.WorkspacePath : $"{Collection(api)}/{Uri.EscapeDataString(name)}";
}
