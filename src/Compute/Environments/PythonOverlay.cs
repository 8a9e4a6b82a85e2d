namespace Zaffre.Compute.Environments;

/// <summary>
/// The private virtual environment of a task, over the one of its environment: a dozen small files below the task's home, written without running anything,
/// so that it costs a job that never installs a package next to nothing. <c>python</c> of the command is its interpreter; what <c>pip install</c>
/// brings goes into it and wins over what is below. Debian's mark of an externally managed interpreter does not concern a virtual environment.
/// </summary>
internal static class PythonOverlay
{
    private const string Folder = ".python";
    private const string Mark = "below";
    private const int MostMark = 8192;
    private const string DebianPip = "/usr/lib/python3/dist-packages/pip";
    private const string DebianWheels = "/usr/share/python-wheels";

    private const UnixFileMode Program = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Writes it into <paramref name="home"/>, a folder of this host, which the task sees as <paramref name="view"/>; the variables that make it the task's Python. Nothing where the environment has none.</summary>
    public static Dictionary<string, string> Write(RealEnvironment? environment, string home, string view)
    {
        if (environment?.Python is not { } python)
        {
            return [];
        }

        var at = Path.Combine(home, Folder);
        var seen = $"{view}/{Folder}";
        var bin = Path.Combine(at, "bin");
        var packages = Path.Combine(at, "lib", "python" + python.Version, "site-packages");
        Directory.CreateDirectory(bin);
        Directory.CreateDirectory(packages);
        File.WriteAllText(Path.Combine(at, "pyvenv.cfg"), $"home = {Path.GetDirectoryName(python.Executable)}\ninclude-system-site-packages = {(python.Packages is null ? "true" : "false")}\n");
        Link(Path.Combine(bin, "python"), python.Executable);
        foreach (var name in (string[])["python3", "python" + python.Version])
        {
            Link(Path.Combine(bin, name), "python");
        }

        foreach (var name in (string[])["pip", "pip3"])
        {
            File.WriteAllText(Path.Combine(bin, name), $"#!/bin/sh\nexec '{seen}/bin/python' -m pip \"$@\"\n");
            File.SetUnixFileMode(Path.Combine(bin, name), Program);
        }

        if (Below(python) is { } below)
        {
            File.WriteAllText(Path.Combine(packages, "zaffre-below.pth"), below + "\n");
            File.WriteAllText(Path.Combine(at, Mark), below + "\n");
        }

        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = $"{seen}/bin:{view}/.local/bin:{environment.Variables.GetValueOrDefault("PATH")}",
            ["VIRTUAL_ENV"] = seen,
            ["ZAFFRE_PYTHON"] = seen,
        };
    }

    /// <summary>What lies below the Python of a task in its home, as the task left it; null when there is nothing.</summary>
    public static string? ReadBelow(string home) => TaskFile.TryRead(Path.Combine(home, Folder), Mark, MostMark);

    // What comes after the task's own packages: those of the environment below, or pip itself where the host has it as a wheel only.
    private static string? Below(PythonBase python) =>
        python.Packages is { } packages ? $"import site; site.addsitedir('{packages}')"
        : Directory.Exists(DebianPip) || !Directory.Exists(DebianWheels) ? null
        : Directory.EnumerateFiles(DebianWheels, "pip-*.whl").FirstOrDefault();

    // Preparing a task again after a crash finds the links of the first time.
    private static void Link(string path, string target)
    {
        if (new FileInfo(path).LinkTarget is null)
        {
            File.CreateSymbolicLink(path, target);
        }
    }
}
