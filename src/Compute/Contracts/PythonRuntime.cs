namespace Zaffre.Compute;

/// <summary>The Python files that travel with the binary: <c>runtime/</c> (hooks), <c>standins/</c>, <c>serving/</c>.</summary>
public static class PythonRuntime
{
    /// <summary>Absolute path of the <c>python</c> folder beside the binary.</summary>
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "python");

    /// <summary>The folder to put on <c>PYTHONPATH</c>: it holds <c>sitecustomize.py</c> and nothing else importable.</summary>
    public static string HookPath { get; } = System.IO.Path.Combine(Path, "runtime");

    /// <summary>The folder to put first on <c>PATH</c>: it holds <c>python</c>, the host's interpreter under the name that commands use.</summary>
    public static string BinPath { get; } = System.IO.Path.Combine(Path, "bin");
}
