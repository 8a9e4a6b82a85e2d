using System.Text;
using Zaffre.Compute.Launch;
using Zaffre.Kernel;

namespace Zaffre.Compute;

/// <summary>Reads and removes what a task left in a folder that it may write.</summary>
public static class TaskFile
{
    /// <summary>
    /// At most <paramref name="most"/> bytes of a regular file as text; null when there is none. A link, pipe or device of that name is none:
    /// it is neither followed nor waited for.
    /// </summary>
    public static string? TryRead(string folder, string name, int most)
    {
        using var parent = Native.RealPath(folder) is { } real ? Native.OpenWithoutLinks(real, Native.ReadOnly | Native.Directory) : null;
        using var file = parent is null ? null : Native.OpenIn(parent, [.. Encoding.UTF8.GetBytes(name), 0], Native.ReadOnly);
        if (file is null || !Native.IsFile(file))
        {
            return null;
        }

        var bytes = new byte[most];
        var read = RandomAccess.Read(file, bytes, 0);
        return Encoding.UTF8.GetString(bytes, 0, read);
    }

    /// <summary>Deletes the folder with whatever the task made in it: names that are no text, folders without permissions, trees of any depth.</summary>
    public static void DeleteFolder(DataDirectory data, string folder) => new FileTree(data).Delete(folder);
}
