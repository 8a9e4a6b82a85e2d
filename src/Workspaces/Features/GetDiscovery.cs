using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>Where the data plane is: clients fetch it without a token and read <c>api</c>. Every service is this server.</summary>
internal static class GetDiscovery
{
    private static readonly string[] Services = ["api", "history", "catalog", "experimentation", "modelmanagement", "hyperdrive", "notebooks", "pipelines", "inferencing", "mlflow", "studio"];

    public static void Map(IEndpointRouteBuilder endpoints) => endpoints.MapGet("/discovery", Handle).Anonymous();

    private static IResult Handle(HttpContext context)
    {
        var url = context.PublicUrls().Base(context);
        return ArmResults.Ok(new JsonObject(Services.Select(service => KeyValuePair.Create(service, (JsonNode?)url))));
    }
}
