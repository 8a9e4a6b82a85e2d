using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>
/// A version of an asset. The body is stored as sent; where its content lies is resolved once, on PUT, and kept beside it as
/// <c>resolved</c> (the short datastore form, or <c>wasbs</c> where no datastore is), so that it outlives the job or run it was named by.
/// </summary>
internal class AssetVersionResource(AssetType type, AssetContainers containers, IUriResolver uris, CuratedEnvironments curated, Func<IEnvironmentStates?>? states = null) : ArmResource
{
    public const string Resolved = "resolved";

    public override string Path => AssetTypes.Segment(type) + "/{name}/versions/{version}";

    public override string Action => $"workspaces/{AssetTypes.Segment(type)}/versions";

    public override string? NameProblem(string part, string value) => null;

    public override string Canonical(string part, string value) => part == "name" ? AssetNames.Strip(value) : value;

    public override async Task<Resource?> FindAsync(ResourceCall call, IResources resources, CancellationToken ct) =>
        await (AssetNames.IsLabel(call.Id.Name) ? containers.LatestAsync(call.Id.Parent, ct) : base.FindAsync(call, resources, ct)) is { } found ? found
        : type == AssetType.Environment && CuratedEnvironments.IsCurated(call.Id.Parent.Name) && curated.Find(call.Workspace, call.Id.Parent.Name, call.Id.Name).TryGet(out var ready, out _) ? ready
        : null;

    // Clients find the newest version of a name by listing.
    public override async Task<Page<Resource>> ListAsync(ResourceCall call, ResourceQuery query, IResources resources, CancellationToken ct)
    {
        var page = await base.ListAsync(call, query, resources, ct);
        return type == AssetType.Environment && page is { Items.Count: 0, Next: null } && AssetNames.Strip(query.Parent.Name) is var name && CuratedEnvironments.IsCurated(name)
            && await resources.FindAsync(query.Parent, ct) is null && curated.Find(call.Workspace, name, "1").TryGet(out var ready, out _)
            ? new Page<Resource>([ready], null)
            : page;
    }

    public override async Task<Outcome<JsonObject>> PrepareAsync(ResourceCall call, JsonObject body, Resource? existing, CancellationToken ct)
    {
        var problems = AssetStore.NameProblems(call.Id);
        problems.AddRange(AssetBody.OfVersion(type, body));
        var properties = body.Object("properties");
        JsonNode? resolved = null;
        if (AssetContent.UriMember(type) is { } member && properties?[member] is JsonValue given && given.TryGetValue<string>(out var uri) && uri.Length > 0)
        {
            var place = await PlaceAsync(call, uri, ct);
            if (place.TryGet(out var found, out var problem))
            {
                resolved = found.DatastoreUri ?? (found.Blob is { } blob ? BlobUri.Of(blob) : null);
                KeepSpelling(existing, properties!, member, resolved.Text());
            }
            else
            {
                problems.Add(problem with { Kind = problem.Kind == ProblemKind.Unsupported ? ProblemKind.Unsupported : ProblemKind.Invalid, Target = "properties." + member });
            }
        }

        if (problems.Count > 0)
        {
            return Problem.Combine(problems);
        }

        var document = new JsonObject { ["properties"] = properties!.DeepClone() };
        document.Object("properties")!["isArchived"] ??= false;
        document.Object("properties")!["isAnonymous"] ??= existing?.Properties["isAnonymous"]?.DeepClone() ?? false;
        if (type == AssetType.Model)
        {
            document.Object("properties")!["modelType"] ??= "custom_model";
            document.Object("properties")!["jobName"] ??= JobOf(document.Object("properties")!.Text("modelUri")!);
        }

        EnvironmentMarks.Forget(document.Object("properties")!);
        Yaml.EnvironmentYaml.Compact(document.Object("properties")!);
        if (resolved is not null)
        {
            document[Resolved] = resolved;
        }

        return document;
    }

    public override void OnPut(WriteScope scope, ResourceCall call, Resource? before, Resource after)
    {
        if (before is not null)
        {
            AssetContent.RequireSame(type, before, after.Properties);
        }

        containers.Note(scope, type, after.Id, after.Properties, call.Caller);
    }

    public override async ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct)
    {
        answer.Remove(Resolved);
        var properties = answer.Object("properties")!;
        properties["tags"] ??= new JsonObject();
        properties["properties"] ??= new JsonObject();
        properties["isAnonymous"] ??= false;
        properties["isArchived"] ??= false;
        if (type == AssetType.Model)
        {
            properties["flavors"] ??= new JsonObject();
            properties["provisioningState"] = "Succeeded";
            properties["modelUri"] = ModelUri(call.Workspace, resource);
        }
        else if (type == AssetType.Environment)
        {
            properties["osType"] ??= "Linux";
            if (properties.Object("build") is { } build)
            {
                build["dockerfilePath"] ??= "Dockerfile";
            }

            properties["environmentType"] = answer.Remove(CuratedEnvironments.Mark) ? "Curated" : "UserCreated";
            EnvironmentMarks.Add(properties, states?.Invoke() is { } known ? await known.FindAsync(resource.Properties, ct) : null);
        }
    }

    public override bool Matches(IQueryCollection query, Resource resource)
    {
        var properties = resource.Properties;
        return Holds("tags", properties.Object("tags"))
            && Holds("$tags", properties.Object("tags"))
            && Holds("properties", properties.Object("properties"))
            && Is("version", resource.Id.Name)
            && Is("stage", properties.Text("stage"))
            && (ListParameters.Value(query, "description") is not { Length: > 0 } text || (properties.Text("description") ?? "").Contains(text, StringComparison.OrdinalIgnoreCase));

        bool Holds(string name, JsonObject? map) => ListParameters.Holds(string.Join(',', query[name].ToArray()), map);

        bool Is(string name, string? value) => ListParameters.Value(query, name) is not { Length: > 0 } wanted || wanted.Equals(value, StringComparison.OrdinalIgnoreCase);
    }

    public override IEnumerable<string> KeptOnly(JsonObject document) => type == AssetType.Environment ? StoredOnly.Present(document, "properties.image", "properties.build") : [];

    // Clients download a model only from the datastore form; jobs, runs and blob URLs are answered in it.
    private static JsonNode? ModelUri(WorkspaceRef workspace, Resource model)
    {
        var sent = model.Properties.Text("modelUri") ?? "";
        var direct = sent.StartsWith("azureml://datastores/", StringComparison.OrdinalIgnoreCase) || sent.StartsWith("azureml://subscriptions/", StringComparison.OrdinalIgnoreCase);
        return !direct && model.Document.Text(Resolved) is { } resolved ? DatastoreUri.Long(workspace, resolved) : sent;
    }

    private async Task<Outcome<ResolvedUri>> PlaceAsync(ResourceCall call, string uri, CancellationToken ct)
    {
        var place = await uris.ResolveAsync(call.Workspace, uri, ct);
        if (!place.TryGet(out var found, out _))
        {
            return place;
        }

        if (type != AssetType.Data && found.Blob is null)
        {
            return ArmErrors.Unsupported($"{AssetTypes.Word(type)} content outside this server's storage ('{uri}')");
        }

        var fromRun = uri.StartsWith("azureml://jobs/", StringComparison.OrdinalIgnoreCase) || uri.StartsWith("runs:/", StringComparison.OrdinalIgnoreCase);
        return fromRun && found.Shape == UriShape.Unknown ? ArmErrors.Invalid($"There is nothing at '{uri}'.") : found;
    }

    // azureml://jobs/{job}/... and runs:/{job}/... name the job that made the model.
    private static string? JobOf(string uri) => uri.Split('/') switch
    {
        ["azureml:", "", "jobs", var job, ..] => job,
        ["runs:", var run, ..] => run,
        _ => null,
    };

    // The same place under another spelling is the same content: the stored spelling stays.
    private static void KeepSpelling(Resource? existing, JsonObject properties, string member, string? place)
    {
        if (existing?.Document.Text(Resolved) is { } before && before == place)
        {
            properties[member] = existing.Properties.Text(member);
        }
    }
}
