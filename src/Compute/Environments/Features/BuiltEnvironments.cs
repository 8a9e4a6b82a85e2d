using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Compute.Containers;
using Zaffre.Web;

namespace Zaffre.Compute.Environments.Features;

/// <summary>
/// The cache of built environments, which all workspaces share: GET <c>/zaffre/v1/environments</c> lists it, DELETE <c>/zaffre/v1/environments/{key}</c> removes one that
/// nothing uses, POST <c>/zaffre/v1/environments/prune?unusedDays=N</c> removes what nothing used for so long, unpacked images too. Whoever rules the server may.
/// </summary>
internal static class BuiltEnvironments
{
    private const int MostDays = 36500;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/zaffre/v1/environments");
        group.MapGet("", List).Requires("builtEnvironments/read");
        group.MapDelete("{key}", Remove).Requires("builtEnvironments/delete");
        group.MapPost("prune", Prune).Requires("builtEnvironments/delete");
    }

    private static IResult List(HttpContext context, EnvironmentCache cache) => ArmResults.Page(context, cache.List().Select(entry => new JsonObject
    {
        ["key"] = entry.Key,
        ["state"] = entry.Built is not null ? "Succeeded" : entry.Failure is not null ? "Failed" : "Building",
        ["lastUsed"] = entry.LastUsed.ToString("O", CultureInfo.InvariantCulture),
        ["bytes"] = entry.Bytes,
        ["inUse"] = entry.InUse,
        ["seconds"] = entry.Built?.Seconds,
        ["failure"] = entry.Failure,
        ["packages"] = entry.Built is { } built ? new JsonObject(built.Packages.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))) : null,
    }), null);

    private static IResult Remove(string key, EnvironmentCache cache, VirtualEnvironments built) =>
        built.IsBuilding(key) ? ArmResults.Problem(ArmErrors.Conflict($"The environment '{key}' is being built.", "EnvironmentInUse"))
        : cache.Remove(key) is { } problem ? ArmResults.Problem(problem)
        : ArmResults.NoContent();

    private static IResult Prune(HttpContext context, EnvironmentCache cache, ImageStore images)
    {
        var given = context.Request.Query["unusedDays"].ToString();
        return int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days <= MostDays
            ? ArmResults.Ok(new JsonObject { ["removed"] = new JsonArray([.. cache.RemoveUnused(TimeSpan.FromDays(days))]), ["removedImages"] = new JsonArray([.. images.RemoveUnused(TimeSpan.FromDays(days))]) })
            : ArmResults.Problem(ArmErrors.Invalid($"unusedDays must be a number of days from 0 to {MostDays}; it is '{given}'.", "unusedDays"));
    }
}
