using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Yaml;

/// <summary>
/// Plans a job of a YAML file as the server will when it is put, before anything is sent: what is wrong with bindings, types, values and places is told
/// together with the mistakes of the YAML itself, each at its file and line.
/// </summary>
internal sealed class YamlCheck(JobPlanner planner, PipelineRoot pipelines, LookupSources sources)
{
    /// <summary>Reports everything wrong with the job that its PUT would report.</summary>
    public async Task CheckJobAsync(YamlReading reading, string job, JsonObject properties, CancellationToken ct)
    {
        if (reading.Incomplete)
        {
            return;
        }

        var planning = new Planning(reading.Workspace, job, reading.Caller, new Findings(), new Lookups(sources, pending: new YamlPending(reading)));
        var findings = planning.Findings;
        if (!Names.IsJob(job))
        {
            findings.Invalid("properties.name", $"'{job}' is no name for a job: {Names.JobRule}.");
        }

        if (properties.Text("jobType") == JobKind.Pipeline)
        {
            WithoutEngine.CheckPipeline(properties, findings);
            await pipelines.CompileAsync(planning, properties, new HashSet<string>(StringComparer.OrdinalIgnoreCase), ct);
        }
        else
        {
            await planner.PlanAsync(planning, CommandReader.Read(properties, findings), ct);
        }

        Report(reading, findings);
    }

    /// <summary>Reports everything wrong with what a component says about itself.</summary>
    public static void CheckComponent(YamlReading reading, JsonObject spec)
    {
        if (reading.Incomplete)
        {
            return;
        }

        var findings = new Findings();
        if (ComponentReader.Read("", spec, findings, "properties") is { Kind: JobKind.Command } component)
        {
            const string path = "properties.command";
            var command = spec.Text("command") ?? "";
            var absent = component.Inputs.Where(pair => pair.Value is { Optional: true, Default: null }).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);
            CommandTemplate.Resolve(command, component, (absent, new HashSet<string>(StringComparer.Ordinal)), path, findings);
            Expressions.Check(command, path, [.. component.Inputs.Keys], [.. component.Outputs.Keys], findings);
        }

        Report(reading, findings);
    }

    /// <summary>Reports findings about the job's document at the places of the YAML that they come from.</summary>
    public static void Report(YamlReading reading, Findings findings)
    {
        var places = new YamlPlaces(reading);
        var told = reading.Problems.ToArray();
        foreach (var finding in findings.All.DistinctBy(finding => (finding.Target, finding.Message)))
        {
            var place = places.Of(reading.Root, finding.Target ?? "properties");
            if (!told.Any(problem => Covers(problem, place)))
            {
                reading.Report(finding with { Target = place });
            }
        }
    }

    /// <summary>What was found wrong in the YAML is not told again because of what follows from it.</summary>
    private static bool Covers(Problem told, string place)
    {
        if (told.Target is not { } target || target.Split(' ', 2) is not [var at, .. var rest] || place.Split(' ', 2) is not [var where, var path])
        {
            return false;
        }

        if (rest is not [var known])
        {
            // A key that is missing is told at the map that misses it.
            return at == where && told.Message.StartsWith($"'{path}'", StringComparison.Ordinal);
        }

        return at.Split(':')[0] == where.Split(':')[0] && (known == path || Below(known, path) || Below(path, known));
    }

    private static bool Below(string above, string path) => path.StartsWith(above + ".", StringComparison.Ordinal);
}
