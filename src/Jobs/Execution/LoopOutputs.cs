using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// The outputs of pipelines and loops, which others wrote. Those of a <c>do_while</c> are its last iteration's, where they lie; a
/// <c>parallel_for</c> lists its iterations' in an MLTable, and their values in a JSON list. Writing them again writes the same.
/// </summary>
internal sealed class LoopOutputs(JobTable jobs, IBlobStore store)
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The outputs of a loop whose iterations all completed.</summary>
    public async Task<IReadOnlyList<PublishedOutput>> OfAsync(JobRow loop, IReadOnlyList<JobRow> iterations)
    {
        var plan = loop.ReadPlan();
        var published = new List<PublishedOutput>();
        foreach (var (name, output) in plan.Outputs)
        {
            var made = plan.Pipeline!.Loop!.While is not null
                ? await OfAsync(loop, name, iterations[^1], name)
                : await CollectedAsync(name, output, iterations);
            if (made is not null)
            {
                published.Add(made);
            }
        }

        return published;
    }

    /// <summary>The output that is another job's; null when that one wrote none.</summary>
    public async Task<PublishedOutput?> OfAsync(JobRow pipeline, string name, JobRow source, string sourceName)
    {
        var rows = await jobs.OutputsAsync(source.JobId, CancellationToken.None);
        if (rows.FirstOrDefault(row => row.Name == sourceName) is not { Sha256: { } sha256 } row || !source.ReadPlan().Outputs.TryGetValue(sourceName, out var lies))
        {
            return null;
        }

        var planned = pipeline.ReadPlan().Outputs[name];
        return new PublishedOutput(name, new FolderDigest(sha256, row.Files ?? 0, row.Bytes ?? 0))
        {
            Value = row.Value,
            Place = lies.Uri == planned.Uri ? null : planned with { Blob = lies.Blob, Uri = lies.Uri },
        };
    }

    private async Task<PublishedOutput?> CollectedAsync(string name, PlannedOutput output, IReadOnlyList<JobRow> iterations)
    {
        var value = PortTypes.IsPrimitive(output.Type) ? await ValuesAsync(name, iterations) : null;
        var (place, text) = value is null ? (output.Blob.Child("MLTable"), Table(name, iterations)) : (output.Blob, value);
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        if (!(await store.PutAsync(place, content, new BlobWrite { ContentType = "text/plain" }, CancellationToken.None)).TryGet(out _, out var problem))
        {
            throw new IOException($"The output '{name}' of a loop could not be written: {problem.Message}");
        }

        return new PublishedOutput(name, await store.DigestAsync(output.Blob, CancellationToken.None)) { Value = value };
    }

    private static string Table(string name, IReadOnlyList<JobRow> iterations)
    {
        var table = new StringBuilder("type: mltable\npaths:\n");
        foreach (var output in iterations.Select(iteration => iteration.ReadPlan().Outputs[name]))
        {
            table.Append(CultureInfo.InvariantCulture, $"  - {(output.IsFile ? "file" : "folder")}: {output.Uri}\n");
        }

        return table.ToString();
    }

    private async Task<string> ValuesAsync(string name, IReadOnlyList<JobRow> iterations)
    {
        var list = new JsonArray();
        foreach (var iteration in iterations)
        {
            var row = (await jobs.OutputsAsync(iteration.JobId, CancellationToken.None)).FirstOrDefault(row => row.Name == name);
            list.Add(row?.Value is { } value ? Typed(row.Type, value) : null);
        }

        return list.ToJsonString(Plain);
    }

    /// <summary>A value as JSON writes it.</summary>
    private static JsonValue? Typed(string type, string value) => type switch
    {
        PortTypes.Boolean => JsonValue.Create(bool.Parse(value)),
        PortTypes.Integer => JsonValue.Create(long.Parse(value, CultureInfo.InvariantCulture)),
        PortTypes.Number => JsonValue.Create(double.Parse(value, CultureInfo.InvariantCulture)),
        _ => JsonValue.Create(value),
    };
}
