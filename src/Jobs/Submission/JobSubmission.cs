using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission;

/// <summary>Accepts jobs: validates, plans, and writes document, row, run, token and event in one unit.</summary>
internal sealed class JobSubmission(IDatabase database, JobBirth birth, JobPlanner planner, PipelineSubmission pipelines, LookupSources sources)
{
    /// <summary>The new job, or everything that is wrong with it; then nothing was stored.</summary>
    public Task<Outcome<Resource>> CreateAsync(WorkspaceRef workspace, ArmId id, JsonObject body, Caller caller, CancellationToken ct) =>
        CreateAsync(new Planning(workspace, id.Name, caller, new Findings(), new Lookups(sources)), id, body, ct);

    /// <summary>As above, with lookups of the caller's.</summary>
    public async Task<Outcome<Resource>> CreateAsync(Planning planning, ArmId id, JsonObject body, CancellationToken ct)
    {
        var findings = planning.Findings;
        if (!Names.IsJob(id.Name))
        {
            findings.Invalid("name", $"'{Shorten(id.Name)}' is no name for a job: {Names.JobRule}.");
        }

        if (PropertiesOf(body, findings) is not { } properties || KindOf(properties, findings) is not { } kind)
        {
            return findings.Combined;
        }

        if (kind == JobKind.Pipeline)
        {
            return await pipelines.CreateAsync(planning, id, body, ct);
        }

        var spec = CommandReader.Read(properties, findings);
        var plan = await planner.PlanAsync(planning, spec, ct);
        if (findings.Any || plan is null)
        {
            return findings.Combined;
        }

        return await database.WriteAsync(scope => birth.Command(scope, id, Document(body, planning.Repeats?.Job), (spec, plan), planning.Caller), ct);
    }

    /// <summary>The document to store: as it was sent, without what only answers hold.</summary>
    public static JsonObject Document(JsonObject body, string? rerunOf = null)
    {
        var document = body.Copy();
        foreach (var name in (string[])["id", "name", "type", "systemData"])
        {
            document.Remove(name);
        }

        var properties = document.Object("properties");
        properties?.Remove("status");
        properties?.Object("services")?.Remove("Studio");
        properties?.Object("services")?.Remove("Tracking");
        properties?.Object("outputs")?.Remove("default");
        if (properties?.Object("properties") is { } own)
        {
            foreach (var (key, _) in own.Where(pair => JobProperties.IsOurs(pair.Key)).ToArray())
            {
                own.Remove(key);
            }
        }

        if (rerunOf is not null && properties is not null)
        {
            properties["properties"] ??= new JsonObject();
            properties["properties"]![JobProperties.RerunOf] = rerunOf;
        }

        return document;
    }

    private static JsonObject? PropertiesOf(JsonObject body, Findings findings)
    {
        if (body["properties"] is JsonObject properties)
        {
            return properties;
        }

        findings.Invalid("properties", "properties is missing: an object with jobType, command, environmentId.");
        return null;
    }

    private static string? KindOf(JsonObject properties, Findings findings)
    {
        var type = findings.Scalar(properties, "jobType", "properties");
        foreach (var kind in (ReadOnlySpan<string>)[JobKind.Command, JobKind.Pipeline])
        {
            if (kind.Equals(type, StringComparison.OrdinalIgnoreCase))
            {
                return kind;
            }
        }

        if (string.IsNullOrEmpty(type))
        {
            findings.Invalid("properties.jobType", "jobType is missing: Command or Pipeline.");
        }
        else
        {
            findings.Unsupported("properties.jobType", $"jobs of type {Shorten(type)} are not supported yet; Command and Pipeline are.");
        }

        return null;
    }

    private static string Shorten(string text) => text.Length > 80 ? text[..80] + "..." : text;
}
