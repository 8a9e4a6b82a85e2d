namespace Zaffre.Compute.Launch;

/// <summary>Walks over trees that a task wrote: links are never followed, missing permissions are given back first.</summary>
internal static class FileTree
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, RecurseSubdirectories = false };

    /// <summary>Deletes the folder and all in it; nothing happens when it is not there.</summary>
    public static void Delete(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        Visit(folder, (entry, isFolder) =>
        {
            if (isFolder)
            {
                Directory.Delete(entry);
            }
            else
            {
                File.Delete(entry);
            }
        });
        Directory.Delete(folder);
    }

    /// <summary>Calls <paramref name="visit"/> for every entry below the folder, a folder after what is in it.</summary>
    public static void Visit(string folder, Action<string, bool> visit)
    {
        Open(folder);
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", Everything))
        {
            var isFolder = entry is DirectoryInfo && entry.LinkTarget is null;
            if (isFolder)
            {
                Visit(entry.FullName, visit);
            }

            visit(entry.FullName, isFolder);
        }
    }

    /// <summary>Gives the owner what a task may have taken away: read and write, and enter for a folder.</summary>
    public static void Open(string path)
    {
        const UnixFileMode file = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (Native.Identify(path) is { } found && (found.IsFolder ? file | UnixFileMode.UserExecute : file) is var wanted && (found.Mode & wanted) != wanted)
        {
            Native.Permit(path, found.Mode | wanted);
        }
    }
}
