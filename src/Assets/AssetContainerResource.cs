using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>The container of an asset's versions: <c>data/{name}</c>, <c>models/{name}</c>, ...</summary>
internal sealed class AssetContainerResource(AssetType type, AssetContainers containers, IResources resources) : ArmResource
{
    public override string Path => AssetTypes.Segment(type) + "/{name}";

    public override string Action => "workspaces/" + AssetTypes.Segment(type);

    public override string? NameProblem(string part, string value) => null;

    public override string Canonical(string part, string value) => AssetNames.Strip(value);

    public override Task<Outcome<JsonObject>> PrepareAsync(ResourceCall call, JsonObject body, Resource? existing, CancellationToken ct)
    {
        var problems = AssetBody.OfContainer(body);
        if (ResourceName.Problem("name", call.Id.Name) is { } reason)
        {
            problems.Insert(0, ArmErrors.Invalid(reason, "name"));
        }

        return Task.FromResult<Outcome<JsonObject>>(problems.Count > 0 ? Problem.Combine(problems) : new JsonObject { ["properties"] = body["properties"]!.DeepClone() });
    }

    public override void OnPut(WriteScope scope, ResourceCall call, Resource? before, Resource after)
    {
        // What the server counts is not the caller's to set.
        var document = after.Document.Copy();
        var properties = document.Object("properties")!;
        properties.Remove("latestVersion");
        properties["nextVersion"] = AssetContainers.NextOf(before);
        if (before?.Document[AssetContainers.AnonymousOnly] is { } hidden)
        {
            document[AssetContainers.AnonymousOnly] = hidden.DeepClone();
        }

        if (!JsonNode.DeepEquals(document, after.Document))
        {
            resources.Put(scope, after.Id, document, call.Caller);
        }
    }

    public override async ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct)
    {
        answer.Remove(AssetContainers.AnonymousOnly);
        var properties = answer.Object("properties")!;
        properties["isArchived"] ??= false;
        properties["tags"] ??= new JsonObject();
        properties["properties"] ??= new JsonObject();
        properties["latestVersion"] = (await containers.LatestAsync(resource.Id, ct))?.Id.Name;
        properties["nextVersion"] = AssetContainers.NextOf(resource);
    }

    public override bool Matches(IQueryCollection query, Resource resource) => resource.Document[AssetContainers.AnonymousOnly] is null;
}
