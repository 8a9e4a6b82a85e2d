using System.Text;
using Microsoft.Win32.SafeHandles;
using Zaffre.Compute.Launch;

namespace Zaffre.Compute.Staging;

/// <summary>
/// What a task has for itself: copies of inputs that it may change (cloned where the file system can), and outputs that become visible when the task has
/// ended. All of it lies in the task's own folder and goes with it.
/// </summary>
internal sealed class PrivateFiles(FileTree files)
{
    private const int Deepest = 256;

    /// <summary>Where the copy of an input lies: a folder, or a file under its own name.</summary>
    public static string InputAt(TaskFolder folder, TaskInput input)
    {
        var at = Path.Combine(folder.At("inputs"), input.Name);
        return input.LocalPath is { } path && !Directory.Exists(path) ? Path.Combine(at, Path.GetFileName(path)) : at;
    }

    /// <summary>Where a task writes an output that is published later.</summary>
    public static string OutputAt(TaskFolder folder, TaskOutput output)
    {
        var at = Path.Combine(folder.At("outputs"), output.Name);
        return output.IsFile ? Path.Combine(at, Path.GetFileName(output.LocalPath)) : at;
    }

    /// <summary>Makes the copies. What an earlier call left is made anew.</summary>
    public void Copy(TaskFolder folder, IEnumerable<TaskInput> inputs, CancellationToken ct)
    {
        foreach (var input in inputs)
        {
            ct.ThrowIfCancellationRequested();
            var at = Path.Combine(folder.At("inputs"), input.Name);
            files.Delete(at);
            files.EnsureFolder(at).Dispose();
            if (input.LocalPath is { } path)
            {
                files.Copy(path, at);
            }

            foreach (var (name, source) in input.Files ?? [])
            {
                var within = Path.Combine(at, Path.GetDirectoryName(name)!);
                files.EnsureFolder(within).Dispose();
                files.Copy(source, within);
            }
        }
    }

    /// <summary>
    /// Moves what the task wrote to its place: at once where nothing lies there, else file by file over what has the same name. A file where a folder lies, or the
    /// other way round, is found before anything moves. Doing it again goes on where it stopped.
    /// </summary>
    /// <exception cref="IOException">It cannot be moved; the message says what and why.</exception>
    public void Publish(TaskFolder folder, TaskOutput output)
    {
        var at = OutputAt(folder, output);
        using var from = files.OpenFolder(Path.GetDirectoryName(at)!);
        if (from is null)
        {
            return;
        }

        using var to = files.EnsureFolder(Path.GetDirectoryName(output.LocalPath)!);
        var (name, target) = (Bytes(Path.GetFileName(at)), Bytes(Path.GetFileName(output.LocalPath)));
        using var entry = Native.OpenIn(from, name, Native.PathOnly);
        if (entry is null || Native.MoveIn(from, name, to, target))
        {
            return;
        }

        using var source = Folder(from, name);
        using var into = Folder(to, target);
        if (source is null || into is null)
        {
            throw new IOException($"The output '{output.Name}' is a {(source is null ? "file" : "folder")}, and at its place lies something else.");
        }

        Check(source, into, output.Name, 0);
        Merge(source, into, output.Name);
    }

    private static void Check(SafeFileHandle source, SafeFileHandle into, string path, int depth)
    {
        foreach (var name in Native.Names(source))
        {
            using var given = Native.OpenIn(source, name, Native.PathOnly);
            using var there = Native.OpenIn(into, name, Native.PathOnly);
            if (given is null || there is null)
            {
                continue;
            }

            var below = $"{path}/{Encoding.UTF8.GetString(name, 0, name.Length - 1)}";
            if (Native.IsFolder(given) != Native.IsFolder(there) || depth == Deepest)
            {
                throw new IOException($"'{below}' is a {(Native.IsFolder(given) ? "folder" : "file")}, and a {(Native.IsFolder(there) ? "folder" : "file")} lies at its place. Nothing was published.");
            }

            if (Native.IsFolder(given))
            {
                using var one = Folder(source, name);
                using var other = Folder(into, name);
                Check(one ?? throw Gone(below), other ?? throw Gone(below), below, depth + 1);
            }
        }
    }

    private static void Merge(SafeFileHandle source, SafeFileHandle into, string path)
    {
        foreach (var name in Native.Names(source))
        {
            using var given = Native.OpenIn(source, name, Native.PathOnly);
            if (given is null || !(Native.IsFile(given) || Native.IsFolder(given)) || Native.MoveIn(source, name, into, name))
            {
                continue;
            }

            var below = $"{path}/{Encoding.UTF8.GetString(name, 0, name.Length - 1)}";
            using var one = Folder(source, name);
            using var other = Folder(into, name);
            Merge(one ?? throw Gone(below), other ?? throw Gone(below), below);
        }
    }

    private static SafeFileHandle? Folder(SafeFileHandle parent, byte[] name) => Native.OpenIn(parent, name, Native.ReadOnly | Native.Directory);

    private static IOException Gone(string path) => new($"'{path}' cannot be moved to its place.");

    private static byte[] Bytes(string name) => [.. Encoding.UTF8.GetBytes(name), 0];
}
