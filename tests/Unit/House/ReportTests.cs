using System.Diagnostics;

namespace Zaffre.Tests.Unit.House;

/// <summary>What <c>./zaffre test</c> makes of the result files.</summary>
public sealed class ReportTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("zaffre-report-").FullName;

    [Fact]
    public async Task The_closing_line_sums_over_all_suites()
    {
        Suite("Unit", "Passed", "Passed", "NotExecuted");
        Suite("Http", "Passed");

        Assert.Equal("3 passed, 0 failed, 1 skipped\n", (await RunAsync("total", folder)).Output);
        Assert.Equal(0, (await RunAsync("suites", folder)).Code);
    }

    [Fact]
    public async Task A_failed_test_fails_the_run()
    {
        Suite("Unit", "Passed", "Failed");

        Assert.Equal(1, (await RunAsync("suites", folder)).Code);
        Assert.Equal("1 passed, 1 failed, 0 skipped\n", (await RunAsync("total", folder)).Output);
    }

    [Fact]
    public async Task A_suite_that_ran_nothing_fails_the_run()
    {
        Suite("Unit", "Passed");
        Suite("Http");

        var (code, output) = await RunAsync("suites", folder);

        Assert.Equal(1, code);
        Assert.Contains("no test ran in: Http", output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("suites", folder, "--filtered")).Code);
    }

    [Fact]
    public async Task A_filter_that_fits_nothing_fails_the_run()
    {
        Suite("Unit");

        Assert.Equal(1, (await RunAsync("suites", folder, "--filtered")).Code);
    }

    [Fact]
    public async Task A_skipped_test_is_printed_with_its_reason()
    {
        Suite("Unit", "Passed", "NotExecuted");

        Assert.Contains("skipped: test 1: no reason given", (await RunAsync("suites", folder)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_was_cut_short_fails()
    {
        Suite("Unit", "Passed");
        var trx = Path.Combine(folder, "Unit/results.trx");
        await File.WriteAllTextAsync(trx, (await File.ReadAllTextAsync(trx)).Replace("outcome=\"Completed\"", "outcome=\"Failed\"", StringComparison.Ordinal));

        Assert.Equal(1, (await RunAsync("suites", folder)).Code);
    }

    [Fact]
    public async Task The_compatibility_table_does_not_depend_on_the_order_of_tests()
    {
        string[] rows = ["azure-ai-ml 1.34+\tjobs.get\tbehaves", "azure-ai-ml 1.4.0\tjobs.get\trefused", "az 2.45\tlogin\tstored-only", "az 2.45\tlogin\tstored-only"];

        Assert.Equal(await TableAsync(rows), await TableAsync(rows.Reverse()));
    }

    [Fact]
    public async Task Each_family_of_clients_has_a_table_with_versions_in_order_and_areas_apart()
    {
        var table = await TableAsync(
        [
            "azure-ai-ml 1.34+\tjobs.get\tbehaves", "azure-ai-ml 1.4.0\tjobs.get\trefused", "azure-ai-ml 1.34+\tdata.get\tbehaves", "azure-ai-ml 1.4.0\tdata.get\tnot callable",
            "azure-ai-ml 1.4.0\tindexes.get\tnot callable", "@azure/storage-blob 12\tupload\tbehaves", "azure-storage-blob 12.15\tupload\tbehaves", "azure-cli 2.45\tlogin\tbehaves", "curl\tGET\tbehaves",
        ]);

        Assert.Contains("## Python SDK: azure-ai-ml\n\n| operation | azure-ai-ml 1.4.0 | azure-ai-ml 1.34+ |\n|---|---|---|\n| **data** | | |\n| `data.get` | not callable | behaves |\n| **jobs** | | |\n| `jobs.get` | refused | behaves |\n", table, StringComparison.Ordinal);
        Assert.Contains("## Blobs\n\n| operation | @azure/storage-blob 12 | azure-storage-blob 12.15 |\n|---|---|---|\n| `upload` | behaves | behaves |\n", table, StringComparison.Ordinal);
        Assert.Equal(["## Python SDK: azure-ai-ml", "## Blobs", "## Azure CLI", "## Other clients"], table.Split('\n').Where(line => line.StartsWith("## ", StringComparison.Ordinal)));
        Assert.Contains("| azure-ai-ml 1.4.0 | 0 | 0 | 1 | 2 |", table, StringComparison.Ordinal);
        Assert.DoesNotContain("indexes.get", table, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a 1\tjobs.get\tworks")]
    [InlineData("a 1\tjobs.get\tbehaves\na 1\tjobs.get\trefused")]
    public async Task A_verdict_that_is_unknown_or_contradicts_another_is_refused(string rows)
    {
        var source = Path.Combine(folder, "rows.tsv");
        await File.WriteAllTextAsync(source, rows);

        Assert.Equal(1, (await RunAsync("compatibility", source, Path.Combine(folder, "table.md"))).Code);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task<string> TableAsync(IEnumerable<string> rows)
    {
        var source = Path.Combine(folder, "rows.tsv");
        var table = Path.Combine(folder, "table.md");
        await File.WriteAllLinesAsync(source, rows);
        Assert.Equal(0, (await RunAsync("compatibility", source, table)).Code);
        return await File.ReadAllTextAsync(table);
    }

    private void Suite(string name, params ReadOnlySpan<string> outcomes)
    {
        var results = "";
        for (var number = 0; number < outcomes.Length; number++)
        {
            results += $"""<UnitTestResult testName="test {number}" outcome="{outcomes[number]}" />""";
        }

        var failed = outcomes.Contains("Failed") ? "Failed" : "Completed";
        Directory.CreateDirectory(Path.Combine(folder, name));
        File.AppendAllText(Path.Combine(folder, "times"), $"{name} 1\n");
        File.WriteAllText(
            Path.Combine(folder, name, "results.trx"),
            $"""<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>{results}</Results><ResultSummary outcome="{failed}" /></TestRun>""");
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [Repository.Path("tools/report.py"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }
}
