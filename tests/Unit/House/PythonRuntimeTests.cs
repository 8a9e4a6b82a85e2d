using System.Diagnostics;

namespace Zaffre.Tests.Unit.House;

/// <summary>What jobs and scoring import must run in any environment: Python 3.9, nothing but its standard library.</summary>
public sealed class PythonRuntimeTests
{
    [Fact]
    public async Task The_runtime_imports_only_the_standard_library() => Assert.Empty(await ForeignAsync(Repository.Path("python")));

    [Theory]
    [InlineData("import json, numpy.linalg", "a.py:1: imports numpy")]
    [InlineData("def f():\n    from pandas import DataFrame", "a.py:2: imports pandas")]
    [InlineData("match 1:\n    case 1: pass", "a.py:2: Pattern matching is only supported in Python 3.10 and greater")]
    [InlineData("try:\n    import yaml\nexcept ImportError:\n    yaml = None", "")]
    [InlineData("try:\n    import yaml\nexcept ValueError:\n    yaml = None", "a.py:2: imports yaml")]
    [InlineData("import json\nfrom . import b\nimport a", "")]
    public async Task A_foreign_import_or_a_newer_grammar_is_found(string source, string found)
    {
        var folder = Directory.CreateTempSubdirectory("zaffre-python-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "a.py"), source);

            Assert.Equal(found, (await ForeignAsync(folder)).Trim());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> ForeignAsync(string folder)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [Repository.Path("tests/Unit/House/python_imports.py"), folder])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
