using System.Text.Json;

namespace Zaffre.Benchmarks;

/// <summary>Judges the figures by the checked-in budgets, prints them and writes them.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static async Task<IReadOnlyList<Figure>> JudgeAsync(string root, string name, IEnumerable<Figure> figures)
    {
        await using var file = File.OpenRead(Path.Combine(root, "benchmarks/budgets.json"));
        var all = await JsonSerializer.DeserializeAsync<Dictionary<string, Dictionary<string, Budget>>>(file, Options);
        var budgets = all!.GetValueOrDefault(name) ?? [];
        return [.. figures.Select(figure => budgets.TryGetValue(figure.Name, out var budget) ? budget.Judge(figure) : figure)];
    }

    public static async Task WriteAsync(string root, string name, IReadOnlyList<Figure> figures)
    {
        foreach (var figure in figures)
        {
            Console.WriteLine(figure);
        }

        var folder = Path.Combine(root, "artifacts/bench");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, name + ".json"), JsonSerializer.Serialize(figures, Options));
    }
}

/// <summary>An upper limit in the figure's own unit, or the least ratio to the peer measured in the same run. Without its peer a figure meets nothing.</summary>
internal sealed record Budget(double? Max, double? MinRatio)
{
    public Figure Judge(Figure figure) => figure with
    {
        Budget = Max ?? MinRatio,
        Met = figure is { PeerName: not null, Peer: null } ? false : Max is { } max ? figure.Value <= max : figure.Ratio >= MinRatio,
    };
}
