using System.Text.Json.Nodes;

namespace Zaffre.Cli.Mlflow;

/// <summary>One record of a store in the form of docs/mlflow-import.md, and the files that belong to what it describes.</summary>
internal sealed record TransferItem(JsonObject Record, FileTree? Files = null);

/// <summary>A file to carry over. <paramref name="Size"/> is null when only reading tells it.</summary>
internal sealed record TransferFile(string Path, long? Size, Func<CancellationToken, Task<Stream>> OpenAsync)
{
    /// <summary>True when reading it costs nothing, so that its digest can be asked before it is sent.</summary>
    public bool IsLocal { get; init; }
}

/// <summary>The files of a run, a logged model, a trace or a model version; <paramref name="Owner"/> is <c>run/ID</c>, <c>model/ID</c>, <c>trace/ID</c> or <c>version/NAME/NUMBER</c>.</summary>
internal sealed record FileTree(string Owner, Func<CancellationToken, IAsyncEnumerable<TransferFile>> ListAsync);

/// <summary>A store to read. Records come in the order in which they can be written: what others belong to first.</summary>
internal interface IMlflowSource : IAsyncDisposable
{
    /// <summary>What it is, for people: kind, place, version.</summary>
    string Description { get; }

    IAsyncEnumerable<TransferItem> ReadAsync(TransferReport report, CancellationToken ct);
}

/// <summary>A store to write. Every write may be done again.</summary>
internal interface IMlflowTarget : IAsyncDisposable
{
    string Description { get; }

    /// <summary>Takes a record; it is written at the latest when <see cref="FlushAsync"/> returns.</summary>
    Task PutAsync(JsonObject record, CancellationToken ct);

    Task FlushAsync(CancellationToken ct);

    /// <summary>Ends the transfer: what can only be done last.</summary>
    Task FinishAsync(CancellationToken ct);

    /// <summary>Carries files over, those that are there already left out.</summary>
    Task PutFilesAsync(FileTree tree, CancellationToken ct);
}

/// <summary>What a transfer counts and tells. Thread safe.</summary>
internal sealed class TransferReport(Action<string> tell)
{
    private const int MostTold = 1000;

    private readonly Lock gate = new();
    private readonly SortedDictionary<string, (long Total, long New)> counts = new(StringComparer.Ordinal);
    private readonly List<string> problems = [];
    private readonly List<string> notes = [];
    private readonly HashSet<string> told = new(StringComparer.Ordinal);

    /// <summary>How many things were refused or could not be read.</summary>
    public long Problems { get; private set; }

    public void Count(string kind, long total, long made)
    {
        lock (gate)
        {
            var (before, madeBefore) = counts.GetValueOrDefault(kind);
            counts[kind] = (before + total, madeBefore + made);
        }
    }

    /// <summary>Something that did not come over.</summary>
    public void Problem(string message)
    {
        lock (gate)
        {
            Problems++;
            if (problems.Count < MostTold)
            {
                problems.Add(message);
                tell("PROBLEM: " + message);
            }
        }
    }

    /// <summary>Something to know about what came over; told once.</summary>
    public void Note(string message)
    {
        lock (gate)
        {
            if (notes.Count < MostTold && told.Add(message))
            {
                notes.Add(message);
                tell("note: " + message);
            }
        }
    }

    /// <summary>A line of progress.</summary>
    public void Progress(string message)
    {
        lock (gate)
        {
            tell(message);
        }
    }

    /// <summary>How many of a kind went over so far, and how many of them are new.</summary>
    public (long Total, long New) Of(string kind)
    {
        lock (gate)
        {
            return counts.GetValueOrDefault(kind);
        }
    }

    public JsonObject Summary()
    {
        lock (gate)
        {
            var all = new JsonObject();
            foreach (var (kind, (total, made)) in counts)
            {
                all[kind] = new JsonObject { ["total"] = total, ["new"] = made };
            }

            return new JsonObject
            {
                ["counts"] = all,
                ["problems"] = Problems,
                ["problem"] = new JsonArray([.. problems.Select(problem => JsonValue.Create(problem))]),
                ["notes"] = new JsonArray([.. notes.Select(note => JsonValue.Create(note))]),
            };
        }
    }
}

/// <summary>Carries everything from a source to a target: records in their order, files of what was written side by side.</summary>
internal static class Transfer
{
    private const int TreesAtOnce = 64;
    private const int Parallel = 4;
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(IMlflowSource source, IMlflowTarget target, TransferReport report, TimeProvider time, CancellationToken ct)
    {
        var (trees, runs, last) = (new List<FileTree>(), 0L, time.GetTimestamp());
        await foreach (var item in source.ReadAsync(report, ct))
        {
            await target.PutAsync(item.Record, ct);
            runs += (string?)item.Record["kind"] == "run" ? 1 : 0;
            if (item.Files is { } files)
            {
                trees.Add(files);
            }

            if (trees.Count >= TreesAtOnce)
            {
                await FilesAsync(target, trees, ct);
            }

            if (time.GetElapsedTime(last) > Between)
            {
                last = time.GetTimestamp();
                report.Progress($"{runs} runs, {report.Of("metrics").Total} points, {report.Of("file").Total} files ({report.Of("file").New} sent) ...");
            }
        }

        await FilesAsync(target, trees, ct);
        await target.FinishAsync(ct);
    }

    private static async Task FilesAsync(IMlflowTarget target, List<FileTree> trees, CancellationToken ct)
    {
        await target.FlushAsync(ct);
        await System.Threading.Tasks.Parallel.ForEachAsync(trees, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = ct }, async (tree, token) => await target.PutFilesAsync(tree, token));
        trees.Clear();
    }
}
