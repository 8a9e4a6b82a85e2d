using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Zaffre.Compute.Launch;

namespace Zaffre.Compute.Staging;

/// <summary>Opens up what a task left, and counts what is neither a file nor a folder: links, pipes, sockets, devices. Nothing of that is followed, opened or published.</summary>
internal sealed class StrangeEntries(string root)
{
    private const int MostNamed = 5;
    private const int LongestName = 200;
    private const int TypeBits = 0xf000, FileType = 0x8000, FolderType = 0x4000, LinkType = 0xa000, PipeType = 0x1000, SocketType = 0xc000;

    private readonly List<string> named = [];
    private int count;

    /// <summary>As <see cref="FileTree.Open"/>, for every entry of a visit.</summary>
    public void Open(SafeFileHandle entry)
    {
        var type = FileTree.Open(entry) & TypeBits;
        if (type is FileType or FolderType)
        {
            return;
        }

        count++;
        if (named.Count < MostNamed)
        {
            named.Add($"{NameOf(entry)} ({type switch { LinkType => "a link", PipeType => "a pipe", SocketType => "a socket", _ => "a device" }})");
        }
    }

    /// <summary>One sentence, or null when all are files and folders.</summary>
    public string? Told(string what) => count == 0 ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"{what} holds {count} {(count == 1 ? "entry that is" : "entries that are")} no file or folder and not published: {string.Join(", ", named)}{(count > named.Count ? ", ..." : "")}.");

    // What the kernel calls it, for people: the name below the output, without what would break a line.
    private string NameOf(SafeFileHandle entry)
    {
        var path = new FileInfo(FormattableString.Invariant($"/proc/self/fd/{entry.DangerousGetHandle()}")).LinkTarget ?? "?";
        var name = path.StartsWith(root + "/", StringComparison.Ordinal) ? path[(root.Length + 1)..] : Path.GetFileName(path);
        var shown = new StringBuilder();
        foreach (var letter in name.Length > LongestName ? name[..LongestName] + "..." : name)
        {
            shown.Append(char.IsControl(letter) ? '?' : letter);
        }

        return shown.ToString();
    }
}
