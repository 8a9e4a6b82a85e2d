using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>Where this data directory's server answers, and as whom the local user acts: <c>run/server.json</c> and <c>keys/owner.json</c>.</summary>
internal sealed record RunningServer(int Port, string CaFile, string TenantId, string SubscriptionId, string ClientId, string ClientSecret)
{
    public static RunningServer Find(DataDirectory data)
    {
        var state = Read(data.Path("run", "server.json")) ?? throw new CliException($"No server runs on {data.Root}. Start one with: zaffre up --detach. If one runs elsewhere, name its data directory with --data or ZAFFRE_DATA.");
        var owner = Read(data.Path("keys", "owner.json")) ?? throw new CliException($"{data.Path("keys", "owner.json")} is missing or not yours to read; only the user who started the server can use its local CLI.");
        return new RunningServer(
            (int)state["port"]!,
            data.Path("tls", "ca.pem"),
            owner.Text("tenantId")!,
            owner.Text("subscriptionId")!,
            owner.Text("clientId")!,
            owner.Text("clientSecret")!);
    }

    private static JsonObject? Read(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>Something the user can act on; printed as one message, exit code 1.</summary>
internal sealed class CliException(string message) : Exception(message);
