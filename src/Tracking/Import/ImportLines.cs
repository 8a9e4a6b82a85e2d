using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Tracking.Import;

/// <summary>The lines of a body, one after the other: never more than one of them is held.</summary>
internal static class ImportLines
{
    /// <summary>Most bytes of a line.</summary>
    public const int Longest = 20 * 1024 * 1024;

    private const int MaxDepth = 64;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    private static readonly Dictionary<string, Func<ImportRecord, ImportItem>> Kinds = new(StringComparer.Ordinal)
    {
        [ImportExperiment.Word] = ImportExperiment.Read,
        [ImportRun.Word] = ImportRun.Read,
        [ImportMetrics.Word] = ImportMetrics.Read,
        [ImportInputs.Word] = ImportInputs.Read,
        [ImportLoggedModel.Word] = ImportLoggedModel.Read,
        [ImportModel.Word] = ImportModel.Read,
        [ImportVersion.Word] = ImportVersion.Read,
        [ImportTrace.Word] = ImportTrace.Read,
        [ImportSpans.Word] = ImportSpans.Read,
    };

    /// <summary>The lines that are not blank, with their numbers.</summary>
    public static async IAsyncEnumerable<(int Line, byte[] Text)> ReadAsync(PipeReader body, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        for (var number = 1; ;)
        {
            var read = await body.ReadAsync(ct);
            var rest = read.Buffer;
            while (Next(ref rest, read.IsCompleted) is { } line)
            {
                if (line.Length > 0)
                {
                    yield return (number, line);
                }

                number++;
            }

            if (rest.Length > Longest)
            {
                throw new ProblemException(new Problem(ProblemKind.Invalid, "RecordTooLarge", $"Line {number} has more than {Longest} bytes."));
            }

            body.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
            {
                yield break;
            }
        }
    }

    /// <summary>What a line says, or everything that is wrong with it.</summary>
    public static (ImportItem? Item, IReadOnlyList<ImportProblem> Problems) Parse(int line, byte[] text)
    {
        JsonObject? json;
        try
        {
            if (JsonText.Fault(text, MaxDepth) is { } fault)
            {
                return (null, [new ImportProblem("", $"the line is not valid JSON: {fault}")]);
            }

            json = JsonNode.Parse(text, documentOptions: Reading) as JsonObject;
        }
        catch (JsonException exception)
        {
            return (null, [new ImportProblem("", $"the line is not valid JSON: {exception.Message}")]);
        }

        if (json is null)
        {
            return (null, [new ImportProblem("", "the line must be a JSON object.")]);
        }

        if (json.Text("kind") is not { } kind || !Kinds.TryGetValue(kind, out var read))
        {
            return (null, [new ImportProblem("kind", $"it must be one of {string.Join(", ", Kinds.Keys)}.")]);
        }

        var record = new ImportRecord(line, json);
        var item = read(record);
        return record.Problems.Count > 0 ? (null, record.Problems) : (item, []);
    }

    private static byte[]? Next(ref ReadOnlySequence<byte> rest, bool isLast)
    {
        if (rest.PositionOf((byte)'\n') is { } end)
        {
            var line = rest.Slice(0, end).ToArray();
            rest = rest.Slice(rest.GetPosition(1, end));
            return Trim(line);
        }

        if (!isLast || rest.IsEmpty)
        {
            return null;
        }

        var last = rest.ToArray();
        rest = rest.Slice(rest.End);
        return Trim(last);
    }

    private static byte[] Trim(byte[] line) => line is [.. var text, (byte)'\r'] ? Trim(text) : line.All(b => b is (byte)' ' or (byte)'\t') ? [] : line;
}
