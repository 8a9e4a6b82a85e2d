using System.Diagnostics;

namespace Zaffre.Tests.Unit.Gateway;

public sealed class ServingRuntimeTests
{
    [Fact]
    public async Task The_python_runtimes_read_bodies_check_signatures_load_flavors_and_write_results()
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [Repository.Path("tests/Unit/Gateway/python/serving_tests.py")]) { RedirectStandardError = true, UseShellExecute = false };
        start.Environment["ZAFFRE_PYTHON"] = Repository.Path("python");
        using var tests = Process.Start(start)!;
        var said = await tests.StandardError.ReadToEndAsync();
        await tests.WaitForExitAsync();
        Assert.True(tests.ExitCode == 0, said);
    }
}
