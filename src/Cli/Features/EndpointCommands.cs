using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre online-endpoint create|show|list|update|invoke|get-credentials|delete</c>.</summary>
internal static class EndpointCommands
{
    public static Command Create()
    {
        var group = new Command("online-endpoint", "Online endpoints: a URL and keys in front of deployments.");
        group.Subcommands.Add(CreateEndpoint());
        group.Subcommands.Add(Show());
        group.Subcommands.Add(List());
        group.Subcommands.Add(Update());
        group.Subcommands.Add(Invoke());
        group.Subcommands.Add(Credentials());
        group.Subcommands.Add(Delete());
        return group;
    }

    /// <summary>Sets the traffic split of an endpoint; returns the endpoint.</summary>
    public static async Task<JsonObject> SetTrafficAsync(ApiClient api, string endpoint, JsonObject traffic, CancellationToken ct)
    {
        var path = api.Path("onlineEndpoints/" + endpoint);
        var present = await api.GetAsync(path, ct);
        present.Object("properties")!["traffic"] = traffic;
        return await api.SendAsync(HttpMethod.Put, path, present, ct);
    }

    /// <summary>Scores a request body; returns the answer's text.</summary>
    public static async Task<string> ScoreAsync(ApiClient api, string endpoint, string? deployment, byte[] body, CancellationToken ct)
    {
        var found = await api.GetAsync(api.Path("onlineEndpoints/" + endpoint), ct);
        using var request = new HttpRequestMessage(HttpMethod.Post, found.Object("properties")!.Text("scoringUri"));
        var credentials = await CredentialsAsync(api, found, endpoint, ct);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credentials.Text("primaryKey") ?? credentials.Text("accessToken"));
        request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        if (deployment is not null)
        {
            request.Headers.Add("azureml-model-deployment", deployment);
        }

        using var response = await api.RawAsync(request, ct);
        var answer = await response.Content.ReadAsStringAsync(ct);
        return response.IsSuccessStatusCode ? answer : throw new CliException($"Scoring failed with HTTP {(int)response.StatusCode}: {answer}");
    }

    /// <summary>The keys of an endpoint, or a token for it.</summary>
    private static async Task<JsonObject> CredentialsAsync(ApiClient api, JsonObject endpoint, string name, CancellationToken ct) =>
        endpoint.Object("properties")!.Text("authMode")?.ToLowerInvariant() switch
        {
            "amltoken" => await api.SendAsync(HttpMethod.Post, api.Path($"onlineEndpoints/{name}/token"), null, ct),
            "aadtoken" => new JsonObject { ["accessToken"] = await api.TokenAsync("https://ml.azure.com/.default", ct), ["tokenType"] = "Bearer" },
            _ => await api.SendAsync(HttpMethod.Post, api.Path($"onlineEndpoints/{name}/listKeys"), null, ct),
        };

    private static Option<string> Name() => new("--name", "-n") { Description = "Name of the endpoint.", Required = true };

    private static Verb CreateEndpoint()
    {
        var file = new Option<string?>("--file", "-f") { Description = "YAML file with the endpoint." };
        var name = new Option<string?>("--name", "-n") { Description = "Name of the endpoint." };
        var mode = new Option<string?>("--auth-mode") { Description = "key or aml_token." };
        var set = new Option<string[]>("--set") { Description = "Sets a member of the YAML: path=value.", AllowMultipleArgumentsPerToken = true };
        return new Verb(
            "create",
            "Create an endpoint.",
            async (call, ct) =>
            {
                var values = call.Set(set, ("name", call.Get(name)), ("auth_mode", call.Get(mode)));
                var yaml = new YamlSubmission(call.Api);
                return Projection.Of(call.Get(file) is { } path
                    ? await yaml.SendAsync("online-endpoint", path, values, ct)
                    : await yaml.SendTextAsync("online-endpoint", "{}", Directory.GetCurrentDirectory(), values, ct));
            },
            file, name, mode, set);
    }

    private static Verb Show()
    {
        var name = Name();
        return new Verb("show", "Show an endpoint.", async (call, ct) => Projection.Of(await call.Api.GetAsync(call.Api.Path("onlineEndpoints/" + call.Get(name)), ct)), name);
    }

    private static Verb List() => new("list", "List endpoints in a workspace.", async (call, ct) => await call.CollectAsync(call.Api.Path("onlineEndpoints"), int.MaxValue, ct));

    private static Verb Update()
    {
        var name = Name();
        var traffic = new Option<string>("--traffic", "-r") { Description = "Traffic in percent: \"blue=90 green=10\".", Required = true };
        return new Verb(
            "update",
            "Change the traffic split of an endpoint.",
            async (call, ct) => Projection.Of(await SetTrafficAsync(call.Api, call.Get(name), VerbCall.Pairs(call.Get(traffic), "--traffic"), ct)),
            name, traffic);
    }

    private static Verb Invoke()
    {
        var name = Name();
        var file = new Option<string>("--request-file", "-r") { Description = "File with the request body.", Required = true };
        var deployment = new Option<string?>("--deployment-name", "-d") { Description = "The deployment to ask; the traffic split decides when omitted." };
        return new Verb(
            "invoke",
            "Invoke an endpoint.",
            async (call, ct) =>
            {
                var path = call.Get(file);
                var body = File.Exists(path) ? await File.ReadAllBytesAsync(path, ct) : throw new CliException($"{path} does not exist.");
                Console.WriteLine(await ScoreAsync(call.Api, call.Get(name), call.Get(deployment), body, ct));
                return null;
            },
            name, file, deployment);
    }

    private static Verb Credentials()
    {
        var name = Name();
        return new Verb(
            "get-credentials",
            "Show the keys or a token of an endpoint.",
            async (call, ct) =>
            {
                var endpoint = await call.Api.GetAsync(call.Api.Path("onlineEndpoints/" + call.Get(name)), ct);
                return await CredentialsAsync(call.Api, endpoint, call.Get(name)!, ct);
            },
            name);
    }

    private static Verb Delete()
    {
        var name = Name();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        return new Verb(
            "delete",
            "Delete an endpoint with its deployments.",
            async (call, ct) =>
            {
                Confirmation.Ask(call.Get(yes), $"Delete the endpoint {call.Get(name)} and its deployments?");
                await call.Api.SendAsync(HttpMethod.Delete, call.Api.Path("onlineEndpoints/" + call.Get(name)), null, ct);
                return (JsonNode?)null;
            },
            name, yes);
    }
}

/// <summary>Asks before something is destroyed.</summary>
internal static class Confirmation
{
    public static void Ask(bool yes, string question)
    {
        if (yes)
        {
            return;
        }

        if (Console.IsInputRedirected)
        {
            throw new CliException("Nobody is there to confirm; give --yes.");
        }

        Console.Write(question + " (y/n): ");
        if (Console.ReadLine()?.Trim().ToLowerInvariant() is not ("y" or "yes"))
        {
            throw new CliException("Not deleted.");
        }
    }
}
