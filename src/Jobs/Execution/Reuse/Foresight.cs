using Dapper;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>
/// Looks at everything that deciding the steps of a tree needs and that lies on the disk: what inputs and code hold, and whether the outputs that could be
/// reused are still what they were. It follows the steps below as far as they would be reused. Changes nothing but the memory.
/// </summary>
internal sealed class Foresight(IDatabase database, JobTable jobs, IContentDigests digests) : IDisposable
{
    private const string TreeSql =
        $"WITH RECURSIVE tree (k) AS (VALUES (@root) UNION ALL SELECT j.key FROM jobs j JOIN tree ON j.parent = tree.k) SELECT {JobRow.Columns} FROM jobs WHERE key IN (SELECT k FROM tree) AND status NOT IN ('Completed', 'Failed', 'Canceled') ORDER BY seq";

    private readonly SemaphoreSlim reading = new(4);

    /// <summary>The places whose content could not be told yet, each with the work that will tell; the memory has all the rest.</summary>
    public async Task<IReadOnlyList<Task>> LookAsync(string root, ReuseMemory memory, ReuseReading places, CancellationToken ct)
    {
        var steps = await database.ReadAsync(connection => connection.Query<JobRow>(TreeSql, new { root }).AsList(), ct);
        var moved = (await database.ReadAsync(
            connection => connection.Query<(string Planned, string Place)>("SELECT planned, place FROM job_moves WHERE root = @root", new { root }).AsList(), ct))
            .ToDictionary(move => move.Planned, move => System.Text.Json.JsonSerializer.Deserialize(move.Place, JobsJson.Default.PlannedOutput)!, StringComparer.Ordinal);

        // Pipelines write nothing themselves: what is bound to an output of theirs lies in that place once the step is done. A loop does, at its end.
        var toCome = steps.Where(step => step.Kind != JobKind.Pipeline).SelectMany(step => step.ReadPlan().Outputs.Values).Select(output => output.Blob).ToHashSet();
        var plans = steps.Where(step => step is { Status: JobStatus.NotStarted, Kind: JobKind.Command }).Select(step => step.ReadPlan()).ToArray();
        var open = plans.SelectMany(plan => PlacesOf(plan, moved)).Distinct().Where(place => !toCome.Contains(place) && memory.Find(place) is null).Select(place => places.Read(place, () => ReadAsync(place, memory, ct))).ToList();
        await Task.WhenAny(Task.WhenAll(open), places.Pause(ct));
        foreach (var plan in plans)
        {
            await ForeseeAsync(plan, moved, toCome, memory, ct);
        }

        return [.. open.Where(task => !task.IsCompletedSuccessfully)];
    }

    public void Dispose() => reading.Dispose();

    /// <summary>The data and the code that a step reads from this server.</summary>
    public static IEnumerable<BlobAddress> PlacesOf(JobPlan plan, IReadOnlyDictionary<string, PlannedOutput> moved)
    {
        foreach (var input in plan.Inputs.Values.Where(input => input.Type != JobTypes.Literal))
        {
            if ((moved.GetValueOrDefault(input.Value)?.Blob ?? input.Blob) is { } place)
            {
                yield return place;
            }
        }

        if (plan.Code is { } code)
        {
            yield return code;
        }
    }

    private async Task ReadAsync(BlobAddress place, ReuseMemory memory, CancellationToken ct)
    {
        await reading.WaitAsync(ct);
        try
        {
            memory.Keep(place, await Task.Run(() => digests.OfAsync(place, ct), ct));
        }
        catch (IOException)
        {
            // What cannot be read is as nothing: the step runs, and fails as it would have.
            memory.Keep(place, new FolderDigest("", 0, 0));
        }
        finally
        {
            reading.Release();
        }
    }

    private async Task ForeseeAsync(JobPlan plan, Dictionary<string, PlannedOutput> moved, HashSet<BlobAddress> toCome, ReuseMemory memory, CancellationToken ct)
    {
        if (plan.Late is not null || plan.Reuse is not { Forced: false, Deterministic: true })
        {
            return;
        }

        var settled = plan with
        {
            Inputs = plan.Inputs.ToDictionary(
                pair => pair.Key,
                pair => pair.Value.Type != JobTypes.Literal && moved.TryGetValue(pair.Value.Value, out var place) ? pair.Value with { Value = place.Uri, Blob = place.Blob } : pair.Value,
                StringComparer.Ordinal),
        };
        var known = KnownFacts.Of(settled, place => toCome.Contains(place) ? null : memory.Find(place));
        if (known.Unseen is not null || known.Missing.Count > 0)
        {
            return;
        }

        if (await OriginalAsync(known.Facts.Key, memory, ct) is { } original)
        {
            foreach (var (name, place) in original.ReadPlan().Outputs)
            {
                if (plan.Outputs.TryGetValue(name, out var planned))
                {
                    moved[planned.Uri] = place;
                    toCome.Remove(place.Blob);
                }
            }
        }
    }

    /// <summary>The run whose outputs a step with this key can have, when there is one.</summary>
    public async Task<JobRow?> OriginalAsync(string key, ReuseMemory memory, CancellationToken ct)
    {
        foreach (var candidate in await database.ReadAsync(connection => connection.Query<string>(ReuseWrites.CandidatesSql, new { key }).AsList(), ct))
        {
            if (await jobs.FindAsync(new ArmId(candidate), ct) is not { } run)
            {
                continue;
            }

            var problem = memory.Verified(key, candidate) ?? await ProblemAsync(run, memory, ct);
            memory.Verify(key, candidate, problem);
            if (problem.Length == 0)
            {
                return run;
            }
        }

        return null;
    }

    /// <summary>What is wrong with a run's outputs; empty when each is what it was when the run ended.</summary>
    private async Task<string> ProblemAsync(JobRow run, ReuseMemory memory, CancellationToken ct)
    {
        return await EarlierOutputs.ProblemAsync(jobs, run, LookAsync, ct) ?? "";

        async Task<FolderDigest?> LookAsync(BlobAddress place)
        {
            var now = await digests.OfAsync(place, ct);
            memory.Keep(place, now);
            return now;
        }
    }
}

/// <summary>What is being read for one tree: each place once, however often it is asked for. Not thread safe.</summary>
internal sealed class ReuseReading(TimeProvider time, Action done)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<BlobAddress, Task> reading = [];
    private bool paused;

    /// <summary>Reads a place; calls back when it is read.</summary>
    public Task Read(BlobAddress place, Func<Task> read)
    {
        if (!reading.TryGetValue(place, out var task) || task.IsCompleted)
        {
            reading[place] = task = ReadAsync(read);
        }

        return task;
    }

    /// <summary>Small things are waited for, so that one unit decides them all; what takes longer is gone on without, and only once.</summary>
    public Task Pause(CancellationToken ct)
    {
        if (paused)
        {
            return Task.CompletedTask;
        }

        paused = true;
        return Task.Delay(Patience, time, ct);
    }

    private async Task ReadAsync(Func<Task> read)
    {
        try
        {
            await read();
        }
        finally
        {
            done();
        }
    }
}
