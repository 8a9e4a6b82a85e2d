using System.Text;
using System.Text.Json;
using Dapper;
using Zaffre.Database;
using Zaffre.Jobs.Differences;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>A decision as it was stored.</summary>
internal sealed record StoredDecision(string Reason, string? Compared, string? Differences, string? Facts, long Decided)
{
    public Reason Why => Enum.Parse<Reason>(Reason);

    public IReadOnlyList<StepDifference> ReadDifferences() => Differences is null ? [] : JsonSerializer.Deserialize(Differences, JobsJson.Default.IReadOnlyListStepDifference)!;

    public StepFacts? ReadFacts() => Facts is null ? null : JsonSerializer.Deserialize(Facts, JobsJson.Default.StepFacts);
}

/// <summary>Says which files and which lines differ, from the manifests and from the code itself.</summary>
internal sealed class DifferenceDetails(IDatabase database, IContentDigests digests, IBlobStore store)
{
    private const int MostFiles = 5;
    private const int MostHunks = 8;
    private const int LargestText = 512 * 1024;

    public Task<StoredDecision?> FindAsync(string job, CancellationToken ct) => database.ReadAsync(
        connection => connection.QueryFirstOrDefault<StoredDecision>("SELECT reason, compared, differences, facts, decided FROM job_decisions WHERE job = @job", new { job }), ct);

    /// <summary>The decision with everything that can be said of it, which is kept.</summary>
    public async Task<StoredDecision?> CompleteAsync(string job, CancellationToken ct)
    {
        if (await FindAsync(job, ct) is not { } decision)
        {
            return null;
        }

        var differences = decision.ReadDifferences();
        if (!differences.Any(IsOpen))
        {
            return decision;
        }

        var before = decision.Compared is null ? null : (await FindAsync(decision.Compared, ct))?.ReadFacts();
        var completed = await CompleteAsync(differences, before, decision.ReadFacts(), ct);
        await database.WriteAsync(scope => ReuseWrites.SetDifferences(scope, job, completed), ct);
        return decision with { Differences = JsonSerializer.Serialize(completed, JobsJson.Default.IReadOnlyListStepDifference) };
    }

    /// <summary>The differences with files and lines; what is not kept any more stays as it was told. <paramref name="coming"/> tells of what is not stored yet.</summary>
    public async Task<IReadOnlyList<StepDifference>> CompleteAsync(
        IReadOnlyList<StepDifference> differences, StepFacts? before, StepFacts? after, CancellationToken ct, IComingContent? coming = null)
    {
        var completed = new List<StepDifference>();
        foreach (var difference in differences)
        {
            completed.Add(IsOpen(difference) ? await TellAsync(difference, (before?.Code?.At, after?.Code?.At), coming, ct) with { Before = null, After = null } : difference);
        }

        return completed;
    }

    private static bool IsOpen(StepDifference difference) => difference.Before is not null || difference.After is not null;

    private async Task<StepDifference> TellAsync(StepDifference difference, (BlobAddress? Before, BlobAddress? After) code, IComingContent? coming, CancellationToken ct)
    {
        if (difference.Before is null || difference.After is null || await CompareAsync(difference.Before, difference.After, coming, ct) is not { } found)
        {
            return difference;
        }

        if (difference.What == "code")
        {
            var told = new List<string>();
            foreach (var file in found.First)
            {
                told.Add(await FileAsync(file, code.Before, now => NowAsync(difference.After, code.After, now, coming, ct), ct));
            }

            return difference with { Text = string.Join(", ", told) + More(found) };
        }

        var names = string.Join(", ", found.First.Select(file => Named(file.Name)));
        return difference with { Text = $"input {difference.Name} changed: {found.Count} {(found.Count == 1 ? "file differs" : "files differ")}{(names.Length == 0 ? "" : ": " + names)}{More(found)}" };
    }

    private Task<ContentDifference?> CompareAsync(string before, string after, IComingContent? coming, CancellationToken ct) => coming?.FilesOf(after) is { } files
        ? digests.CompareAsync(before, files, MostFiles, ct)
        : digests.CompareAsync(before, after, MostFiles, ct);

    private async Task<string> FileAsync(ContentChange file, BlobAddress? before, Func<string, Task<string[]?>> nowOf, CancellationToken ct)
    {
        var name = $"`{Named(file.Name)}`";
        if (file.Before is null || file.After is null)
        {
            return $"{name} was {(file.Before is null ? "added" : "removed")}";
        }

        var one = await TextAsync(before, file.Name, ct) is { } text ? LineDigests.Of(text) : null;
        IReadOnlyList<Hunk> hunks = one is null || await nowOf(file.Name) is not { } other ? [] : TextDifference.Of(one, other);
        return hunks.Count == 0 ? $"{name} changed" : $"{name} changed: {string.Join(", ", hunks.Take(MostHunks))}{(hunks.Count > MostHunks ? ", ..." : "")}";
    }

    /// <summary>The lines that a file of code has now, by digest.</summary>
    private async Task<string[]?> NowAsync(string content, BlobAddress? place, string file, IComingContent? coming, CancellationToken ct) => coming is not null && coming.IsElsewhere(content)
        ? coming.LinesOf(content, file)
        : await TextAsync(place, file, ct) is { } text ? LineDigests.Of(text) : null;

    /// <summary>A file as text, or null when it is gone, large, or no text.</summary>
    private async Task<string?> TextAsync(BlobAddress? place, string name, CancellationToken ct)
    {
        if (place is not { } folder)
        {
            return null;
        }

        await using var stream = await store.OpenReadAsync(name.Length == 0 ? folder : folder.Child(name), ct);
        if (stream is null || stream.Length > LargestText)
        {
            return null;
        }

        using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
        try
        {
            var text = await reader.ReadToEndAsync(ct);
            return text.Contains('\0', StringComparison.Ordinal) ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static string Named(string name) => name.Length == 0 ? "the file" : name;

    private static string More(ContentDifference found) => found.Count > found.First.Count ? $" and {found.Count - found.First.Count} more" : "";
}
