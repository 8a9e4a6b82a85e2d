using System.Text.Json.Nodes;

namespace Zaffre.Tracking.Import;

/// <summary>What an import answers: counts by kind, what is to be told, and every record that was refused with all its faults.</summary>
internal sealed class ImportTally
{
    /// <summary>Most notes and most refusals that are answered one by one; the counts hold them all.</summary>
    private const int MostTold = 1000;

    private readonly SortedDictionary<string, (long Total, long New)> counts = new(StringComparer.Ordinal);
    private readonly JsonArray notes = [];
    private readonly JsonArray refused = [];
    private long refusals;

    public void Add(IEnumerable<ImportItem> items, ImportUnit unit)
    {
        foreach (var item in items)
        {
            var (total, made) = counts.GetValueOrDefault(item.Kind);
            counts[item.Kind] = (total + item.Count, made);
        }

        foreach (var (kind, made) in unit.New)
        {
            counts[kind] = (counts.GetValueOrDefault(kind).Total, counts.GetValueOrDefault(kind).New + made);
        }

        foreach (var note in unit.Notes.Take(MostTold - notes.Count))
        {
            notes.Add(new JsonObject { ["line"] = note.Line, ["code"] = note.Code, ["message"] = note.Message });
        }
    }

    public void Refuse(int line, IEnumerable<ImportProblem> problems)
    {
        refusals++;
        if (refused.Count < MostTold)
        {
            refused.Add(new JsonObject
            {
                ["line"] = line,
                ["code"] = "InvalidRecord",
                ["problems"] = new JsonArray([.. problems.Select(problem => new JsonObject { ["path"] = problem.Path, ["message"] = problem.Message })]),
            });
        }
    }

    public void Refuse(int line, ImportItem item, (string Code, string Message) why)
    {
        refusals++;
        if (refused.Count < MostTold)
        {
            refused.Add(new JsonObject { ["line"] = line, ["kind"] = item.Kind, ["name"] = item.Name, ["code"] = why.Code, ["message"] = why.Message });
        }
    }

    public JsonObject Answer()
    {
        var told = new JsonObject();
        foreach (var (kind, (total, made)) in counts)
        {
            told[kind] = new JsonObject { ["total"] = total, ["new"] = made };
        }

        return new JsonObject { ["counts"] = told, ["refusals"] = refusals, ["refused"] = refused, ["notes"] = notes };
    }
}
