using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission;

/// <summary>Accepts jobs: validates, plans, and writes document, row, run, token and event in one unit.</summary>
internal sealed class JobSubmission(IDatabase database, IResources resources, IRuns runs, ITokens tokens, JobPlanner planner, JobTickets tickets)
{
    private const string CommandType = "Command";

    /// <summary>The new job, or everything that is wrong with it; then nothing was stored.</summary>
    public async Task<Outcome<Resource>> CreateAsync(WorkspaceRef workspace, ArmId id, JsonObject body, Caller caller, CancellationToken ct)
    {
        var findings = new Findings();
        if (!Names.IsJob(id.Name))
        {
            findings.Invalid("name", $"'{Shorten(id.Name)}' is no name for a job: {Names.JobRule}.");
        }

        if (PropertiesOf(body, findings) is not { } properties || !IsCommand(properties, findings))
        {
            return findings.Combined;
        }

        var spec = CommandReader.Read(properties, findings);
        var plan = await planner.PlanAsync(workspace, id.Name, spec, caller, findings, ct);
        if (findings.Any || plan is null)
        {
            return findings.Combined;
        }

        return await database.WriteAsync(scope => Write(scope, id, Document(body), spec, plan, caller), ct);
    }

    /// <summary>The document to store: as it was sent, without what only answers hold.</summary>
    public static JsonObject Document(JsonObject body)
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

        return document;
    }

    private Resource Write(WriteScope scope, ArmId id, JsonObject document, CommandSpec spec, JobPlan plan, Caller caller)
    {
        if (resources.Find(scope, id) is not null)
        {
            throw new ProblemException(ArmErrors.Conflict($"Another request has just created the job '{id.Name}'.", "JobAlreadyExists"));
        }

        var written = resources.Put(scope, id, document, caller);
        JobWrites.Insert(scope, id, TaskName(id, scope.Now), spec.Priority, plan);
        var run = runs.Create(scope, new NewRun
        {
            Workspace = JobRow.WorkspaceOf(id),
            Id = id.Name,
            Experiment = plan.Experiment,
            DisplayName = spec.DisplayName,
            Status = RunStatus.Queued,
            User = caller.Name,
            Target = new ArmId(plan.Compute).Name,
            Tags = spec.Tags,
        });
        var token = tokens.IssueForJob(scope, id);
        scope.Append(new NewEvent(caller.ObjectId, JobActions.Queued, id.Value, new JsonObject { ["compute"] = plan.Compute }.ToJsonString(ZaffreJson.Options)));
        scope.OnCommitted(() => tickets.Keep(id, new JobTicket(token, run.ExperimentId)));
        return written;
    }

    /// <summary>Unique in the data directory, and another one for a job that is made again under a name that was deleted.</summary>
    private static string TaskName(ArmId id, DateTimeOffset now)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{id.Key} {now.UtcTicks}")));
        return $"{(id.Name.Length > 200 ? id.Name[..200] : id.Name)}.{digest[..8]}";
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

    private static bool IsCommand(JsonObject properties, Findings findings)
    {
        var type = findings.Scalar(properties, "jobType", "properties");
        if (CommandType.Equals(type, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (string.IsNullOrEmpty(type))
        {
            findings.Invalid("properties.jobType", "jobType is missing: Command.");
        }
        else
        {
            findings.Unsupported("properties.jobType", $"jobs of type {Shorten(type)} are not supported yet; Command is.");
        }

        return false;
    }

    private static string Shorten(string text) => text.Length > 80 ? text[..80] + "..." : text;
}
