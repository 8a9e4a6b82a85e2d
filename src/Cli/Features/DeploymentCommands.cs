using System.CommandLine;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre online-deployment create|show|list|get-logs|delete</c>.</summary>
internal static class DeploymentCommands
{
    public static Command Create()
    {
        var group = new Command("online-deployment", "Deployments of a model behind an endpoint.");
        group.Subcommands.Add(CreateDeployment());
        group.Subcommands.Add(Show());
        group.Subcommands.Add(List());
        group.Subcommands.Add(Logs());
        group.Subcommands.Add(Delete());
        return group;
    }

    private static Option<string> Name() => new("--name", "-n") { Description = "Name of the deployment.", Required = true };

    private static Option<string> Endpoint() => new("--endpoint-name", "-e") { Description = "Name of the endpoint.", Required = true };

    private static Verb CreateDeployment()
    {
        var file = new Option<string>("--file", "-f") { Description = "YAML file with the deployment.", Required = true };
        var name = new Option<string?>("--name", "-n") { Description = "Name of the deployment." };
        var endpoint = new Option<string?>("--endpoint-name", "-e") { Description = "Name of the endpoint." };
        var all = new Option<bool>("--all-traffic") { Description = "Sends all traffic of the endpoint to this deployment once it is ready." };
        var set = new Option<string[]>("--set") { Description = "Sets a member of the YAML: path=value.", AllowMultipleArgumentsPerToken = true };
        return new Verb(
            "create",
            "Create a deployment and wait until it is ready.",
            async (call, ct) =>
            {
                var values = call.Set(set, ("name", call.Get(name)), ("endpoint_name", call.Get(endpoint)));
                var made = await new YamlSubmission(call.Api).SendAsync("online-deployment", call.Get(file), values, ct);
                if (call.Get(all))
                {
                    var path = made.Text("id")!.Split('/');
                    await EndpointCommands.SetTrafficAsync(call.Api, path[^3], new JsonObject { [path[^1]] = 100 }, ct);
                }

                return Projection.Of(made);
            },
            file, name, endpoint, all, set);
    }

    private static Verb Show()
    {
        var (name, endpoint) = (Name(), Endpoint());
        return new Verb("show", "Show a deployment.", async (call, ct) => Projection.Of(await call.Api.GetAsync(PathOf(call, endpoint, name), ct)), name, endpoint);
    }

    private static Verb List()
    {
        var endpoint = Endpoint();
        return new Verb(
            "list",
            "List the deployments of an endpoint.",
            async (call, ct) => await call.CollectAsync(call.Api.Path($"onlineEndpoints/{call.Get(endpoint)}/deployments"), int.MaxValue, ct),
            endpoint);
    }

    private static Verb Logs()
    {
        var (name, endpoint) = (Name(), Endpoint());
        var lines = new Option<int>("--lines", "-l") { Description = "Most lines from the end.", DefaultValueFactory = _ => 5000 };
        return new Verb(
            "get-logs",
            "Print the log of a deployment; it is kept after a failure.",
            async (call, ct) =>
            {
                var path = call.Api.Path($"onlineEndpoints/{call.Get(endpoint)}/deployments/{call.Get(name)}/getLogs");
                Console.WriteLine((await call.Api.SendAsync(HttpMethod.Post, path, new JsonObject { ["tail"] = call.Get(lines) }, ct)).Text("content"));
                return null;
            },
            name, endpoint, lines);
    }

    private static Verb Delete()
    {
        var (name, endpoint) = (Name(), Endpoint());
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        return new Verb(
            "delete",
            "Delete a deployment.",
            async (call, ct) =>
            {
                Confirmation.Ask(call.Get(yes), $"Delete the deployment {call.Get(name)}?");
                await call.Api.SendAsync(HttpMethod.Delete, PathOf(call, endpoint, name), null, ct);
                return (JsonNode?)null;
            },
            name, endpoint, yes);
    }

    private static string PathOf(VerbCall call, Option<string> endpoint, Option<string> name) =>
        call.Api.Path($"onlineEndpoints/{call.Get(endpoint)}/deployments/{call.Get(name)}");
}
