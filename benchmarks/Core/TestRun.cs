using System.Globalization;

namespace Zaffre.Benchmarks.Core;

/// <summary>Sizes of the program and the sources, and the times that the last <c>./zaffre test</c> left, when there was one.</summary>
internal static class TestRun
{
    public static async Task<IReadOnlyList<Figure>> FiguresAsync(string root)
    {
        var program = new DirectoryInfo(Path.Combine(root, "artifacts/zaffre/current"));
        List<Figure> figures =
        [
            new("size.program", Math.Round(program.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) / 1048576.0, 1), "MB"),
            new("size.source", Lines(root, "src"), "lines"),
            new("size.tests", Lines(root, "tests"), "lines"),
        ];
        var times = Path.Combine(root, "artifacts/test/times");
        if (File.Exists(times))
        {
            var suites = (await File.ReadAllLinesAsync(times)).Select(line => line.Split(' ')).ToList();
            figures.Add(new("test.total", suites.Sum(Seconds), "s"));
            figures.AddRange(suites.Select(suite => new Figure("test." + suite[0], Seconds(suite), "s")));
        }

        return figures;
    }

    private static double Seconds(string[] suite) => double.Parse(suite[1], CultureInfo.InvariantCulture);

    private static int Lines(string root, string folder) =>
        Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith(".g.cs", StringComparison.Ordinal))
            .Sum(file => File.ReadLines(file).Count());
}
