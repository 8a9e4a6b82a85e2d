using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>
/// <c>batchGetResolvedUris</c> of data and models: asset ids to datastore URIs. The keys of the answer are the ids as asked; what is
/// unknown is left out.
/// </summary>
internal static class ResolveAssetIds
{
    private const int Most = 1000;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapWorkspace("/data/v1.0").MapPost("dataversion/batchGetResolvedUris", DataAsync).Requires("workspaces/data/versions/read");
        endpoints.MapWorkspace("/modelregistry/v1.0").MapPost("models/batchGetResolvedUris", ModelsAsync).Requires("workspaces/models/versions/read");
    }

    private static Task<IResult> DataAsync(HttpContext context, WorkspaceRef workspace, IUriResolver uris, IEnumerable<IRunOutputAssets> outputs, CancellationToken ct) => HandleAsync(
        context,
        async id => await uris.ResolveAsync(workspace, id, ct) is { Succeeded: true } found
            ? new JsonObject { ["uri"] = found.Value.LongDatastoreUri ?? found.Value.Download?.OriginalString, ["type"] = await TypeAsync(workspace, id, found.Value, outputs, ct) }
            : null,
        ct);

    private static Task<IResult> ModelsAsync(HttpContext context, WorkspaceRef workspace, IUriResolver uris, CancellationToken ct) => HandleAsync(
        context,
        async id => await uris.ResolveAsync(workspace, id, ct) is { Succeeded: true } found ? new JsonObject { ["path"] = found.Value.LongDatastoreUri } : null,
        ct);

    private static async Task<IResult> HandleAsync(HttpContext context, Func<string, Task<JsonObject?>> resolve, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var unreadable))
        {
            return ArmResults.Problem(unreadable);
        }

        if (body["values"] is not JsonArray { Count: <= Most } ids || ids.Any(id => id?.GetValueKind() != JsonValueKind.String))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"'values' must be a list of at most {Most} asset ids.", "values"));
        }

        var values = new JsonObject();
        foreach (var id in ids.Select(id => id!.Text()!).Distinct(StringComparer.Ordinal))
        {
            if (await resolve(id) is { } found)
            {
                values[id] = found;
            }
        }

        return ArmResults.Ok(new JsonObject { ["values"] = values });
    }

    private static async Task<string> TypeAsync(WorkspaceRef workspace, string id, ResolvedUri found, IEnumerable<IRunOutputAssets> outputs, CancellationToken ct)
    {
        if (found.Asset is { } asset)
        {
            return asset.Properties.Text("dataType") switch { "uri_file" => "UriFile", "mltable" => "MLTable", _ => "UriFolder" };
        }

        foreach (var source in outputs)
        {
            if (await source.FindAsync(workspace, id, ct) is { } output)
            {
                return output.Type;
            }
        }

        return found.Shape == UriShape.File ? "UriFile" : "UriFolder";
    }
}
