using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Web;

namespace Zaffre.Tracking.Tables;

/// <summary>Reads artifacts of runs as tables: typed rows, page by page, with bounded memory.</summary>
internal sealed class ArtifactTables(ArtifactStore artifacts, IBlobStore blobs)
{
    /// <summary>The largest JSON document that is read whole.</summary>
    public const int MostJson = 32 * 1024 * 1024;

    /// <summary>The place of an artifact; a problem when the path leads elsewhere.</summary>
    public static Outcome<string> Path(string path) => ArtifactPath.IsPlain(path) && path.Length > 0
        ? path
        : ArmErrors.Invalid("path names a file among the run's artifacts, as plots/table.json.", "path");

    /// <summary>The rows that are wanted of a run's artifact, and the size of the file.</summary>
    public async Task<Outcome<(Table Table, long Size)>> ReadAsync(WorkspaceRef workspace, string run, string path, TablePlace place, CancellationToken ct)
    {
        var blob = (await artifacts.RootAsync(workspace, RunArtifacts.Prefix(run), ct)).Child(path);
        if (await blobs.FindAsync(blob, ct) is not { } info || await blobs.OpenReadAsync(blob, ct) is not { } stream)
        {
            return ArmErrors.NotFound($"The artifact '{path}' of run '{run}'") with { Target = "path" };
        }

        await using (stream)
        {
            if (place.Numbers() is not { } from || from.Byte > stream.Length)
            {
                return ArmErrors.Invalid("$skip is not a place of this table.", "$skip");
            }

            try
            {
                return (await ReadAsync(stream, path, place, ct)).Then<(Table, long)>(table => (table, info.Size));
            }
            catch (BrokenTableException broken)
            {
                return ArmErrors.Invalid($"The artifact '{path}' cannot be read as a table{(broken.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $", line {broken.Line}") : "")}: {broken.Message}", "path", "InvalidTable");
            }
        }
    }

    private static async Task<Outcome<Table>> ReadAsync(Stream stream, string path, TablePlace place, CancellationToken ct)
    {
        var ending = path[(path.LastIndexOf('/') + 1)..] is var name && name.LastIndexOf('.') is >= 0 and var dot ? name[dot..].ToLowerInvariant() : "";
        switch (ending)
        {
            case ".csv":
                return await RecordTables.SeparatedAsync(stream, ',', place, ct);
            case ".tsv":
                return await RecordTables.SeparatedAsync(stream, '\t', place, ct);
            case ".jsonl" or ".ndjson":
                return await RecordTables.LinesAsync(stream, place, ct);
            case ".json":
                return await JsonAsync(stream, path, place, ct);
            default:
                var head = new byte[(int)Math.Min(ImageHead.Bytes, stream.Length)];
                await stream.ReadExactlyAsync(head, ct);
                return ImageHead.Of(head) is { } image ? Image(image) : ArmErrors.Unsupported($"tables in files like '{name}' (CSV, TSV, JSON, JSON lines and pictures are read)", "path");
        }
    }

    private static async Task<Outcome<Table>> JsonAsync(Stream stream, string path, TablePlace place, CancellationToken ct)
    {
        if (stream.Length > MostJson)
        {
            return new Problem(ProblemKind.Invalid, "TableTooLarge", $"The artifact '{path}' has {stream.Length} bytes; JSON documents are read up to {MostJson}. Longer tables are read as CSV or JSON lines.") { Target = "path" };
        }

        var text = new byte[stream.Length];
        await stream.ReadExactlyAsync(text, ct);
        using var document = PythonJson.Parse(text.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? text.AsMemory(3) : text, 0);
        return JsonTables.Of(document.RootElement, place) is { } table
            ? table
            : ArmErrors.Unsupported($"the form of '{path}' as a table (columns and data, records, rows, columns by name, and azureml-core's schemas are read)", "path");
    }

    private static Table Image(ImageHead image) => new()
    {
        Kind = "image",
        Format = image.Format,
        More = new JsonObject { ["contentType"] = image.ContentType, ["width"] = image.Width, ["height"] = image.Height },
    };
}
