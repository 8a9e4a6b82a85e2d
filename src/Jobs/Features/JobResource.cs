using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Compute;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>Jobs as an ARM type: GET and list; PUT and DELETE have handlers of their own.</summary>
internal sealed class JobResource(JobTable jobs, JobFacets facets) : ArmResource
{
    public override string Path => "jobs/{name}";

    public override string Action => "workspaces/jobs";

    public override bool Writable => false;

    public override bool ListNewestFirst => true;

    public override IEnumerable<string> KeptOnly(JsonObject document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var identity = document.Object("properties")?.Object("identity")?.Text("identityType") is { } type && !type.Equals("AMLToken", StringComparison.OrdinalIgnoreCase);
        return StoredOnly.Present(document, ["properties.resources.instanceType", "properties.resources.locations", .. identity ? ["properties.identity"] : Array.Empty<string>()]);
    }

    public override bool Matches(IQueryCollection query, Resource resource)
    {
        var type = ListParameters.Value(query, "jobType");
        return (type.Length == 0 || type.Equals(resource.Properties.Text("jobType"), StringComparison.OrdinalIgnoreCase))
            && ListParameters.Holds(ListParameters.Value(query, "tag"), resource.Properties.Object("tags"))
            && ListParameters.Holds(ListParameters.Value(query, "properties"), resource.Properties.Object("properties"))
            && !IsScheduled(query);
    }

    // Nothing is: schedules make jobs, and there are none.
    private static bool IsScheduled(IQueryCollection query) =>
        ListParameters.Value(query, "scheduled").Equals("true", StringComparison.OrdinalIgnoreCase) || ListParameters.Value(query, "scheduleId").Length > 0;

    /// <summary>A list with filters is read from their index, whatever part of the jobs they let through.</summary>
    public override async Task<Page<Resource>> ListAsync(ResourceCall call, ResourceQuery query, IResources resources, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(query);
        var parameters = call.Http.Request.Query;
        if (IsScheduled(parameters))
        {
            return new Page<Resource>([], null);
        }

        var asked = JobFacets.Asked(ListParameters.Value(parameters, "jobType"), ListParameters.Value(parameters, "tag"), ListParameters.Value(parameters, "properties"));
        if (asked.Count == 0 || query.Order != ResourceOrder.Created || PlaceOf(query.Continuation) is not { } from)
        {
            return await base.ListAsync(call, query, resources, ct);
        }

        var sequences = await facets.PageAsync(query, asked, from, ct);
        var items = await resources.FindAllAsync([.. sequences.Take(query.Top)], ct);
        return new Page<Resource>(
            [.. items.Where(item => query.Where?.Invoke(item) ?? true)],
            sequences.Count > query.Top ? string.Create(CultureInfo.InvariantCulture, $"k{sequences[query.Top - 1]}") : null);
    }

    // As ResourceListing writes them: k and a sequence, or a number of items to skip.
    private static (long? After, int Skip)? PlaceOf(string? continuation) =>
        string.IsNullOrEmpty(continuation) ? (null, 0)
        : int.TryParse(continuation, NumberStyles.None, CultureInfo.InvariantCulture, out var skip) ? (null, skip)
        : continuation[0] == 'k' && long.TryParse(continuation.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var after) ? (after, 0)
        : null;

    /// <summary>A step of a pipeline has no resource of its own: its row answers for it.</summary>
    public override async Task<Resource?> FindAsync(ResourceCall call, IResources resources, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (await base.FindAsync(call, resources, ct) is { } found)
        {
            return found;
        }

        if (await jobs.FindAsync(call.Id, ct) is not { Parent: not null } step || await jobs.StepDocumentAsync(call.Id, ct) is not { } document)
        {
            return null;
        }

        var (created, actor) = (DateTimeOffset.FromUnixTimeMilliseconds(step.Created), step.ReadPlan().Actor);
        return new Resource
        {
            Id = step.JobId,
            Document = new JsonObject { ["properties"] = JsonNode.Parse(document) },
            Revision = step.Seq,
            Sequence = step.Seq,
            CreatedBy = actor.Name,
            CreatedByType = actor.Type,
            CreatedAt = created,
            LastModifiedBy = actor.Name,
            LastModifiedByType = actor.Type,
            LastModifiedAt = created,
        };
    }

    public override async ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct)
    {
        if (await jobs.FindAsync(resource.Id, ct) is not { } row)
        {
            return;
        }

        var properties = answer["properties"]!.AsObject();
        var name = resource.Id.Name;
        properties["status"] = row.Status;
        if (row.HasCompute)
        {
            properties["computeId"] = ComputeOf(properties, call.Workspace, row);
        }

        Default(properties, "displayName", name);
        Default(properties, "experimentName", "Default");
        properties["isArchived"] ??= false;
        properties["tags"] ??= new JsonObject();
        properties["parameters"] ??= new JsonObject();
        AddServices(call, name, Map(properties, "services"));
        Map(properties, "outputs")["default"] = new JsonObject
        {
            ["jobOutputType"] = "uri_folder",
            ["mode"] = "ReadWriteMount",
            ["uri"] = $"azureml://datastores/{RunArtifacts.Datastore}/{RunArtifacts.Prefix(name)}",
        };
        AddOwnProperties(row, Map(properties, "properties"));
        if (row.ReusedFrom is { } reused && (await jobs.FindAsync(new ArmId(reused), ct))?.ReadPlan().Root is { } pipeline)
        {
            Map(properties, "properties")[JobProperties.ReusedPipelineRun] = pipeline;
        }
    }

    /// <summary>Clients need a resource id, whatever short form was sent.</summary>
    private static string ComputeOf(JsonObject properties, WorkspaceRef workspace, JobRow row)
    {
        var sent = properties.Text("computeId");
        return sent is not null && sent.StartsWith('/') ? sent : workspace.Child("computes", new ArmId(row.ReadPlan().Compute).Name).Value;
    }

    private static void AddServices(ResourceCall call, string job, JsonObject services)
    {
        var url = call.Http.PublicUrls().Base(call.Http);
        services["Studio"] = Service("Studio", $"{url}/runs/{job}?wsid={call.Workspace.Id}");
        services["Tracking"] = Service("Tracking", $"azureml://{new Uri(url).Authority}/mlflow/v1.0{call.Workspace.Id}");
    }

    private static JsonObject Service(string type, string endpoint) => new() { ["jobServiceType"] = type, ["endpoint"] = endpoint };

    private static void AddOwnProperties(JobRow row, JsonObject own)
    {
        var known = new (string Name, string? Value)[]
        {
            (JobProperties.StartTime, Time(row.Started)),
            (JobProperties.EndTime, Time(row.Ended)),
            (JobProperties.Attempt, row.Attempt > 1 ? row.Attempt.ToString(CultureInfo.InvariantCulture) : null),
            (JobProperties.ExitCode, row.ExitCode?.ToString(CultureInfo.InvariantCulture)),
            (JobProperties.ErrorCode, row.ErrorCode),
            (JobProperties.ErrorMessage, row.ErrorMessage),
            (JobProperties.IsReused, row.ReusedFrom is null ? null : "true"),
            (JobProperties.ReusedRun, row.ReusedFrom is { } original ? new ArmId(original).Name : null),
            (JobProperties.NotLimited, row.ReadNotes() is { Count: > 0 } notes ? string.Join(" ", notes) : null),
            (JobProperties.Warnings, row.ReadWarnings() is { Count: > 0 } warnings ? string.Join(" ", warnings) : null),
        };
        foreach (var (name, value) in known)
        {
            if (value is not null)
            {
                own[name] = value;
            }
        }
    }

    private static string? Time(long? at) => at is { } ms ? ResourceDocument.Wire(DateTimeOffset.FromUnixTimeMilliseconds(ms)) : null;

    // A client that makes a schedule of a job sends an empty experiment.
    private static void Default(JsonObject parent, string name, string value)
    {
        if (string.IsNullOrEmpty(parent.Text(name)))
        {
            parent[name] = value;
        }
    }

    private static JsonObject Map(JsonObject parent, string name)
    {
        if (parent[name] is JsonObject map)
        {
            return map;
        }

        var made = new JsonObject();
        parent[name] = made;
        return made;
    }
}
