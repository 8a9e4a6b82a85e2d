using System.Security.Cryptography;
using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Creates a run that no job is behind. One that a job creates without naming a parent becomes a child of the job's run.</summary>
internal sealed class CreateRun(IDatabase database) : MlflowOperation
{
    private static readonly string[] Adjectives =
        ["amber", "bold", "brisk", "calm", "clever", "coral", "crisp", "deep", "eager", "fair", "gentle", "keen", "lively", "lucid", "merry", "noble", "quiet", "rapid", "sunny", "vivid"];

    private static readonly string[] Nouns =
        ["badger", "cobalt", "crane", "falcon", "fern", "gull", "heron", "indigo", "lark", "lynx", "maple", "otter", "pebble", "pigment", "raven", "river", "sparrow", "spruce", "tern", "zaffre"];

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/create");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var tags = request.Objects("tags").Select(MlflowLimits.Tag).GroupBy(tag => tag.Name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last().Value, StringComparer.Ordinal);
        tags[MlflowTags.RunName] = Name(request.Text("run_name"), tags.GetValueOrDefault(MlflowTags.RunName));
        var experiment = request.Text("experiment_id") ?? "0";
        var user = request.Text("user_id") ?? tags.GetValueOrDefault(MlflowTags.User) ?? call.Caller.Name;
        var start = Instant("start_time", request.Long("start_time"));

        var run = await database.WriteAsync(scope => Create(scope, call, experiment, user, start, tags), ct);
        await call.WriteAsync(
            json =>
            {
                json.WriteStartObject("run");
                json.RunMembers(new RunDetail(run, [], [], tags.OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => (tag.Key, tag.Value)), new RunInputs([], [], [])), call.Uris);
                json.WriteEndObject();
            },
            ct);
    }

    /// <summary>Milliseconds that are a date at all (years 1 to 9999).</summary>
    public static long? Instant(string parameter, long? milliseconds) => milliseconds is null or (>= -62_135_596_800_000 and <= 253_402_300_799_999)
        ? milliseconds
        : throw MlflowErrors.InvalidValue(parameter, $"{milliseconds}", "it must be in milliseconds since 1970.");

    private static RunRow Create(WriteScope scope, MlflowCall call, string experimentId, string user, long? start, Dictionary<string, string> tags)
    {
        var experiment = ExperimentStore.ById(scope, call.WorkspaceKey, experimentId) ?? throw MlflowErrors.NoExperiment(experimentId);
        ExperimentAccess.MustBeActive(experiment);
        AdoptParent(scope, call, tags);
        var now = scope.Now.ToUnixTimeMilliseconds();
        var run = RunStore.Insert(scope, new RunRow
        {
            Workspace = call.WorkspaceKey,
            Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
            Name = tags[MlflowTags.RunName],
            Parent = tags.GetValueOrDefault(MlflowTags.ParentRun),
            Status = (long)RunStatus.Running,
            User = user,
            Created = now,
            StartTime = start ?? now,
            Started = start ?? now,
        }, experiment);
        RunData.SetTags(scope, run, tags.Select(tag => (tag.Key, tag.Value)));
        scope.Append(RunAccess.Event(call, run, "write"));
        return run;
    }

    private static void AdoptParent(WriteScope scope, MlflowCall call, Dictionary<string, string> tags)
    {
        if (call.Caller.Job is { } job && RunAccess.InWorkspace(job, call.Workspace) && !tags.ContainsKey(MlflowTags.ParentRun))
        {
            tags[MlflowTags.ParentRun] = job.Name;
        }

        if (tags.TryGetValue(MlflowTags.ParentRun, out var parent))
        {
            RunAccess.CheckJob(scope, call, parent);
        }
        else
        {
            RunAccess.RefuseJob(call, "create runs in another workspace");
        }
    }

    private static string Name(string? name, string? tag) => (name, tag) switch
    {
        (null, null) => $"{Pick(Adjectives)}-{Pick(Nouns)}-{RandomNumberGenerator.GetInt32(1000)}",
        (not null, not null) when name != tag => throw MlflowErrors.Invalid(
            $"Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{name}', mlflow.runName='{tag}')."),
        _ => name ?? tag!,
    };

    private static string Pick(string[] words) => words[RandomNumberGenerator.GetInt32(words.Length)];
}
