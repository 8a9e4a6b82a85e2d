using System.Text.Json.Nodes;
using Zaffre.Assets.Data;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>A version of code: found by the hash of its content too, and answered with a blob URL that the asking client reaches.</summary>
internal sealed class CodeVersionResource(AssetContainers containers, IUriResolver uris, CuratedEnvironments curated, CodeHashes hashes, IBlobSigner signer)
    : AssetVersionResource(AssetType.Code, containers, uris, curated)
{
    /// <summary>With <c>hash</c>: what has this content, under whatever name. A client takes the first and uploads nothing.</summary>
    public override async Task<Page<Resource>> ListAsync(ResourceCall call, ResourceQuery query, IResources resources, CancellationToken ct)
    {
        if (ListParameters.Value(call.Http.Request.Query, "hash") is not { Length: > 0 } hash)
        {
            return await base.ListAsync(call, query, resources, ct);
        }

        var found = new List<Resource>();
        foreach (var id in await hashes.FindAsync(call.Workspace, hash, query.Parent, query.Top, ct))
        {
            if (await resources.FindAsync(id, ct) is { } code && query.View is var view && (view == ListView.All || code.Archived == (view == ListView.ArchivedOnly)))
            {
                found.Add(code);
            }
        }

        return new Page<Resource>(found, null);
    }

    public override void OnPut(WriteScope scope, ResourceCall call, Resource? before, Resource after)
    {
        base.OnPut(scope, call, before, after);
        CodeHashes.Note(scope, call.Workspace, after);
    }

    public override async ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct)
    {
        await base.RenderAsync(call, resource, answer, ct);
        var properties = answer.Object("properties")!;
        properties["provisioningState"] = "Succeeded";
        if (ParsedUri.Parse(properties.Text("codeUri") ?? "").TryGet(out var parsed, out _) && parsed is ParsedUri.InAccount place)
        {
            properties["codeUri"] = signer.Plain(call.Http, new BlobAddress(place.Account, place.Container, place.Path)).AbsoluteUri;
        }
    }
}
