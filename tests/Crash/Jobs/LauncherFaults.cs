namespace Zaffre.Tests.Crash.Jobs;

/// <summary>Lets starts of tasks fail as those of a tired host do, before the command begins: the server's copy of its launcher script takes a fault from a folder.</summary>
internal sealed class LauncherFaults(string data)
{
    /// <summary>Where the script begins to start the task.</summary>
    private const string Start = "\n[ ! -e stop ] ||";

    private readonly string folder = Path.Combine(data, "tired");
    private int added;

    /// <summary>Changes the script, which is there once a task was started.</summary>
    public void Install()
    {
        Directory.CreateDirectory(folder);
        var script = Assert.Single(Directory.GetFiles(Path.Combine(data, "tasks"), ".launch-*.sh"));
        var text = File.ReadAllText(script);
        Assert.Contains(Start, text, StringComparison.Ordinal);
        var fault = $"\nfor fault in '{folder}'/*; do [ -n \"$ZAFFRE_WARM\" ] || ! rm \"$fault\" 2>/dev/null || give_up 'the host is tired'; done\n";

        // In its place at once: a shell may be reading the other.
        File.WriteAllText(script + ".tired", text.Replace(Start, fault + Start[1..], StringComparison.Ordinal));
        File.Move(script + ".tired", script, overwrite: true);
    }

    /// <summary>So many starts more will fail.</summary>
    public void Add(int count)
    {
        for (var i = 0; i < count; i++)
        {
            File.WriteAllText(Path.Combine(folder, $"{++added}"), "");
        }
    }
}
