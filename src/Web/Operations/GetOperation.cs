using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>The two forms in which clients poll: status (<c>Azure-AsyncOperation</c>) and result (<c>Location</c>).</summary>
internal static class GetOperation
{
    private const string Location = $"/subscriptions/{{subscriptionId}}/providers/{Routes.Provider}/locations/{{location}}";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Location + "/mfeOperationsStatus/{id}", StatusAsync).Requires("locations/mfeOperationsStatus/read");
        endpoints.MapGet(Location + "/mfeOperationResults/{id}", ResultAsync).Requires("locations/mfeOperationResults/read");
    }

    private static async Task<IResult> StatusAsync(string id, OperationStore operations, HttpContext context, CancellationToken ct)
    {
        if (await operations.FindAsync(id, ct) is not { } row)
        {
            return ArmResults.Problem(ArmErrors.NotFound($"The operation '{id}'"));
        }

        var body = new JsonObject
        {
            ["id"] = context.Request.Path.Value,
            ["name"] = row.Id,
            ["status"] = row.Status,
            ["startTime"] = DateTimeOffset.FromUnixTimeMilliseconds(row.Started),
            ["percentComplete"] = row.Ended is null ? 0 : 100,
        };
        if (row.Ended is { } ended)
        {
            body["endTime"] = DateTimeOffset.FromUnixTimeMilliseconds(ended);
        }
        else
        {
            context.Response.Headers.RetryAfter = "1";
        }

        if (row.Error is not null)
        {
            body["error"] = JsonNode.Parse(row.Error)!["error"]!.DeepClone();
        }

        return ArmResults.Ok(body);
    }

    private static async Task<IResult> ResultAsync(string id, OperationStore operations, HttpContext context, CancellationToken ct)
    {
        var row = await operations.FindAsync(id, ct);
        switch (row?.Status)
        {
            case null:
                return ArmResults.Problem(ArmErrors.NotFound($"The operation '{id}'"));
            case "InProgress":
                context.Response.Headers.RetryAfter = "1";
                context.Response.Headers.Location = context.PublicUrls().Base(context) + context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent();
                return ArmResults.Json(StatusCodes.Status202Accepted, null);
            case "Failed":
                return ArmResults.Json(StatusCodes.Status400BadRequest, JsonNode.Parse(row.Error!));
            default:
                return row.Result is null ? ArmResults.NoContent() : ArmResults.Ok(JsonNode.Parse(row.Result));
        }
    }
}
