using System.Text.RegularExpressions;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>The folder of one attempt: which file of it is what.</summary>
internal sealed partial record TaskFolder(string Path)
{
    public string Lock => At("lock");

    public string Plan => At("plan");

    public string Started => At("started");

    public string Exit => At("exit");

    public string Stop => At("stop");

    public string Launcher => At("pid");

    public string Failure => At("failure");

    /// <summary>Lines <c>group FOLDER</c>, <c>processes FILE</c>, <c>memory BYTES</c>, <c>pids COUNT</c>: what contains the task; <c>gpu NUMBER</c>: its GPUs; and <c>boot ID</c>: when it was written.</summary>
    public string Containment => At("containment");

    public static Outcome<TaskFolder> Of(DataDirectory data, TaskId id) =>
        NamePattern().IsMatch(id.Name ?? "") && id.Name is not ("." or "..") && id.Attempt is >= 0
            ? new TaskFolder(data.Path("tasks", id.Name!, id.Attempt.ToString(System.Globalization.CultureInfo.InvariantCulture)))
            : new Problem(ProblemKind.Invalid, "InvalidTaskId", $"'{id}' cannot name a task: letters, digits, '-', '_' and '.' only, at most 255.");

    public string At(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>The first line of a file of the folder, or null.</summary>
    public static string? Line(string file)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault();
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Values of the containment file under a key, such as <c>group</c>.</summary>
    public IReadOnlyList<string> ContainingAll(string key)
    {
        try
        {
            return [.. File.ReadAllLines(Containment).Where(l => l.StartsWith(key + " ", StringComparison.Ordinal)).Select(l => l[(key.Length + 1)..])];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>The first value of the containment file under a key, or null.</summary>
    public string? Containing(string key) => ContainingAll(key) is [var first, ..] ? first : null;

    [GeneratedRegex("^[A-Za-z0-9_.-]{1,255}$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex NamePattern();
}
