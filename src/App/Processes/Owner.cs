using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.App;

/// <summary>The local owner, from <c>keys/owner.json</c>, which only the user who runs the server can read.</summary>
internal sealed record Owner(string TenantId, string SubscriptionId, string ClientId, string ClientSecret)
{
    public static Owner Read(DataDirectory data)
    {
        var path = data.Path("keys", "owner.json");
        try
        {
            var file = JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject ?? [];
            return new Owner(file.Text("tenantId")!, file.Text("subscriptionId")!, file.Text("clientId")!, file.Text("clientSecret")!);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"{path} cannot be read ({exception.Message}). Only the user who started the server can act as its owner.");
        }
    }
}
