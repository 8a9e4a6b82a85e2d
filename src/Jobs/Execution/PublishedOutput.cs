using System.Text;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Kernel;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution;

/// <summary>What lies in an output when the job ended.</summary>
internal sealed record PublishedOutput(string Name, FolderDigest Digest)
{
    private const int LongestValue = 256 * 1024;

    /// <summary>The value that it holds, when it is one that steers a pipeline.</summary>
    public string? Value { get; init; }

    /// <summary>Where it lies, when that is not where it was planned.</summary>
    public PlannedOutput? Place { get; init; }

    /// <summary>
    /// Digests every output that the server holds, and reads those that are values, unless the job <paramref name="told"/> them; a problem when one is
    /// no value of its type.
    /// </summary>
    public static async Task<Outcome<PublishedOutput[]>> OfAsync(JobPlan plan, IBlobStore store, IContentDigests digests, IReadOnlyDictionary<string, string> told, CancellationToken ct)
    {
        var published = new List<PublishedOutput>();
        var problems = new List<Problem>();
        foreach (var (name, output) in plan.Outputs)
        {
            string? value = null;
            if (PortTypes.IsPrimitive(output.Type) && told.TryGetValue(name, out var given))
            {
                await KeepAsync(output, given, store, ct);
            }

            if (PortTypes.IsPrimitive(output.Type) && !(await ValueAsync(name, output, store, ct)).TryGet(out value, out var problem))
            {
                problems.Add(problem);
            }

            published.Add(new PublishedOutput(name, await digests.OfAsync(output.Blob, ct)) { Value = value });
        }

        return problems.Count > 0 ? Problem.Combine(problems) : published.ToArray();
    }

    /// <summary>What was told belongs into the file too: there others look for it.</summary>
    private static async Task KeepAsync(PlannedOutput output, string value, IBlobStore store, CancellationToken ct)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(value));
        if (!(await store.PutAsync(output.Blob, content, new BlobWrite { ContentType = "text/plain" }, ct)).TryGet(out _, out var problem))
        {
            throw new IOException(problem.Message);
        }
    }

    private static async Task<Outcome<string>> ValueAsync(string name, PlannedOutput output, IBlobStore store, CancellationToken ct)
    {
        await using var stream = await store.OpenReadAsync(output.Blob, ct);
        if (stream is null || (stream.Length == 0 && output.Type != PortTypes.Text))
        {
            return Wrong($"The command did not write the output '{name}': it is a {output.Type}, and its value belongs into the file ${{{{outputs.{name}}}}}.");
        }

        var buffer = new byte[LongestValue + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        if (length > LongestValue)
        {
            return Wrong($"The output '{name}' holds more than {LongestValue} bytes; it is a {output.Type}, not data.");
        }

        var text = Encoding.UTF8.GetString(buffer, 0, length);
        var value = output.Type == PortTypes.Text ? text.TrimEnd('\r', '\n') : text.Trim();
        return new Port(output.Type).Problem(value) is { } reason ? Wrong($"The output '{name}' is wrong: {(reason.Length > 200 ? reason[..200] + "..." : reason)}.") : value;
    }

    private static Problem Wrong(string message) => new(ProblemKind.Invalid, "OutputNotPublished", message);
}
