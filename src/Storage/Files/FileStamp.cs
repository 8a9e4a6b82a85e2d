using System.Runtime.InteropServices;

namespace Zaffre.Storage.Files;

/// <summary>What identifies one state of a file: inode, size in bytes, modification time in nanoseconds since 1970.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FileStamp(long Inode, long Size, long Modified)
{
    /// <summary>The ETag without quotes.</summary>
    public string Tag => $"0x{Modified:X}-{Size:X}-{Inode:X}";

    /// <summary>The ETag with quotes, as headers carry it.</summary>
    public string ETag => $"\"{Tag}\"";

    /// <summary>Last-Modified, in the whole seconds of HTTP.</summary>
    public DateTimeOffset LastModified => DateTimeOffset.FromUnixTimeSeconds(Math.DivRem(Modified, 1_000_000_000).Quotient);
}

/// <summary>An open regular file and its state at the moment of opening. The owner disposes it.</summary>
internal sealed record OpenFile(Microsoft.Win32.SafeHandles.SafeFileHandle Handle, FileStamp Stamp) : IDisposable
{
    public void Dispose() => Handle.Dispose();
}

/// <summary>An entry of a folder: only regular files and folders are ever returned.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FolderEntry(string Name, bool IsFolder);

/// <summary>The file system has no room, or a quota or size limit is reached.</summary>
internal sealed class StoreFullException(int errno)
    : IOException($"The storage of this server is full (errno {errno}). Free space in its data directory and try again.");

/// <summary>A path leads over a link, device, pipe or file where a folder is needed.</summary>
internal sealed class PathBlockedException(string path) : IOException($"'{path}' leads over something that is neither a plain file nor a plain folder.");
