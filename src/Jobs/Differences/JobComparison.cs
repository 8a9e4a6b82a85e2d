using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Tracking;

namespace Zaffre.Jobs.Differences;

/// <summary>
/// One thing that is not the same in two jobs. <paramref name="Aspect"/> is <c>command</c>, <c>code</c>, <c>environment</c>, <c>compute</c>,
/// <c>input</c>, <c>variable</c>, <c>limit</c>, <c>output</c>, <c>parameter</c>, <c>metric</c>, <c>status</c> or <c>step</c>; <paramref name="What"/> is its name or file.
/// </summary>
internal sealed record Difference(string Aspect, string What, string? Left, string? Right);

/// <summary>Two jobs side by side: what they were made from, and what came of it.</summary>
internal sealed class JobComparison(JobTable jobs, IRuns runs, FolderDifference folders, LockTable locks)
{
    // Files of an output are compared up to this size; beyond it the digests tell that something differs.
    private const long MostBytes = 64 * 1024 * 1024;

    /// <summary>Everything that differs between two commands, in the order in which it is asked about; <paramref name="ends"/> says whether what came of them counts.</summary>
    public async Task<IReadOnlyList<Difference>> OfCommandsAsync(JobRow left, JobRow right, bool ends, CancellationToken ct)
    {
        var (old, now) = (left.ReadPlan(), right.ReadPlan());
        var found = new List<Difference>();
        Command(found, old.Command, now.Command);
        await CodeAsync(found, old.Code, now.Code, ct);
        Environment(found, old, now);
        await LocksAsync(found, left.EnvironmentLock, right.EnvironmentLock, ct);
        One(found, "compute", "compute", old.Compute, now.Compute);
        Each(found, "input", Inputs(old), Inputs(now));
        Each(found, "variable", old.Variables, now.Variables);
        One(found, "limit", "timeout", old.Timeout?.ToString(), now.Timeout?.ToString());
        One(found, "limit", "instances", Text(old.Slots), Text(now.Slots));
        if (ends)
        {
            await EndsAsync(found, left, right, ct);
            await OutputsAsync(found, (left, old), (right, now), ct);
        }

        return found;
    }

    /// <summary>What differs of two pipelines themselves; their steps are compared one by one.</summary>
    public async Task<IReadOnlyList<Difference>> OfPipelinesAsync((JobRow Row, JsonObject Document) left, (JobRow Row, JsonObject Document) right, bool ends, CancellationToken ct)
    {
        var found = new List<Difference>();
        Each(found, "input", Inputs(left.Document), Inputs(right.Document));
        if (ends)
        {
            await EndsAsync(found, left.Row, right.Row, ct);
            await OutputsAsync(found, (left.Row, left.Row.ReadPlan()), (right.Row, right.Row.ReadPlan()), ct);
        }

        return found;
    }

    private static void Command(List<Difference> found, string left, string right)
    {
        if (left != right)
        {
            found.Add(new Difference("command", string.Join(", ", TextDifference.Of(left, right)), left, right));
        }
    }

    private async Task CodeAsync(List<Difference> found, BlobAddress? left, BlobAddress? right, CancellationToken ct)
    {
        if (left == right)
        {
            return;
        }

        var files = await folders.OfAsync(left, right, ct);
        if (files is null)
        {
            found.Add(new Difference("code", $"more than {FolderDifference.MostFiles} files; not compared", left?.Name, right?.Name));
        }

        found.AddRange((files ?? []).Select(file => new Difference("code", file.ToString(), file.Change == "added" ? null : left?.Name, file.Change == "removed" ? null : right?.Name)));
    }

    private static void Environment(List<Difference> found, JobPlan left, JobPlan right)
    {
        if (JsonNode.DeepEquals(left.EnvironmentDocument, right.EnvironmentDocument))
        {
            return;
        }

        One(found, "environment", "image", left.EnvironmentDocument.Text("image"), right.EnvironmentDocument.Text("image"));
        var (old, now) = (left.EnvironmentDocument.Text("condaFile") ?? "", right.EnvironmentDocument.Text("condaFile") ?? "");
        var (before, after) = (old.ReplaceLineEndings("\n").Split('\n'), now.ReplaceLineEndings("\n").Split('\n'));
        foreach (var hunk in TextDifference.Of(old, now))
        {
            found.Add(new Difference("environment", $"conda file, {hunk}", Lines(before, hunk.OldStart, hunk.OldCount), Lines(after, hunk.NewStart, hunk.NewCount)));
        }
    }

    /// <summary>What the environments were made of when the jobs began; nothing is said when one did not.</summary>
    private async Task LocksAsync(List<Difference> found, string? left, string? right, CancellationToken ct)
    {
        if (left == right || left is null || right is null || await locks.FindAsync(left, ct) is not { } old || await locks.FindAsync(right, ct) is not { } now)
        {
            return;
        }

        One(found, "environment", "made real as", old.Kind.ToString(), now.Kind.ToString());
        One(found, "environment", "python", old.Python, now.Python);
        One(found, "environment", "image digest", old.Image, now.Image);
        foreach (var name in old.Packages.Keys.Union(now.Packages.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            One(found, "environment", $"package {name}", old.Packages.GetValueOrDefault(name), now.Packages.GetValueOrDefault(name));
        }
    }

    private static string? Lines(string[] lines, int start, int count) => count == 0 ? null : string.Join("; ", lines.Skip(start - 1).Take(count).Select(line => line.Trim()));

    private async Task EndsAsync(List<Difference> found, JobRow left, JobRow right, CancellationToken ct)
    {
        var (old, now) = (await runs.LoggedAsync(left.Workspace, left.Name, ct), await runs.LoggedAsync(right.Workspace, right.Name, ct));
        Each(found, "parameter", old.Params, now.Params);
        Each(found, "metric", Texts(old.Metrics), Texts(now.Metrics));
        One(found, "status", "status", Status(left), Status(right));
    }

    private async Task OutputsAsync(List<Difference> found, (JobRow Row, JobPlan Plan) left, (JobRow Row, JobPlan Plan) right, CancellationToken ct)
    {
        var (old, now) = (await OutputsAsync(left.Row, ct), await OutputsAsync(right.Row, ct));
        foreach (var name in old.Keys.Union(now.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var (one, other) = (old.GetValueOrDefault(name), now.GetValueOrDefault(name));
            if (one is not null && other is not null && one.Sha256 == other.Sha256 && one.Type == other.Type)
            {
                continue;
            }

            var files = one?.Sha256 is not null && other?.Sha256 is not null && one.Bytes <= MostBytes && other.Bytes <= MostBytes
                ? await folders.OfAsync(left.Plan.Outputs[name].Blob, right.Plan.Outputs[name].Blob, ct)
                : null;
            found.Add(new Difference("output", files is { Count: > 0 } ? $"{name}: {string.Join("; ", files.Take(20))}" : name, Text(one), Text(other)));
        }
    }

    private async Task<Dictionary<string, OutputRow>> OutputsAsync(JobRow row, CancellationToken ct) =>
        (await jobs.OutputsAsync(row.JobId, ct)).ToDictionary(output => output.Name, StringComparer.Ordinal);

    private static string? Text(OutputRow? output) => output switch
    {
        null => null,
        { Sha256: null } => $"{output.Type}, nothing written",
        _ => string.Create(CultureInfo.InvariantCulture, $"{output.Type}, {output.Files} files, {output.Bytes} bytes, sha256 {output.Sha256}"),
    };

    private static void One(List<Difference> found, string aspect, string what, string? left, string? right)
    {
        if (left != right)
        {
            found.Add(new Difference(aspect, what, left, right));
        }
    }

    private static void Each(List<Difference> found, string aspect, IReadOnlyDictionary<string, string> left, IReadOnlyDictionary<string, string> right)
    {
        foreach (var name in left.Keys.Union(right.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            One(found, aspect, name, left.GetValueOrDefault(name), right.GetValueOrDefault(name));
        }
    }

    /// <summary>Values as they are; data by the place where it lies, which a version has for itself.</summary>
    public static Dictionary<string, string> Inputs(JobPlan plan) =>
        plan.Inputs.ToDictionary(pair => pair.Key, pair => pair.Value.Blob is { } blob ? $"{pair.Value.Type} {blob}" : pair.Value.Value, StringComparer.Ordinal);

    public static Dictionary<string, string> Inputs(JsonObject document) => (document["properties"]?["inputs"] as JsonObject ?? [])
        .ToDictionary(pair => pair.Key, pair => ZaffreJson.Text(pair.Value?["value"]) ?? ZaffreJson.Text(pair.Value?["uri"]) ?? "", StringComparer.Ordinal);

    private static Dictionary<string, string> Texts(IReadOnlyDictionary<string, double> values) =>
        values.ToDictionary(pair => pair.Key, pair => pair.Value.ToString("R", CultureInfo.InvariantCulture), StringComparer.Ordinal);

    private static string Status(JobRow row) => row.ErrorCode is null ? row.Status : $"{row.Status}, {row.ErrorCode}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
